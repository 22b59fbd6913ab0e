// Names what a figure was measured with: the machine, its Node, and the versions of all that took part.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { foreignVersions } from "./peers/foreign.js";
import { pinning } from "./processes.js";
import { root } from "./schema.js";

/**
 * @param {string} node path of the Node that the servers run on
 * @returns {{ node: string, machine: string, system: string } & Record<string, string>} name → version or description
 */
export function describeMachine(node) {
  const cpus = os.cpus();
  return {
    machine: `${cpus[0]?.model.trim()}, ${cpus.length} cores, ${Math.round(os.totalmem() / 2 ** 30)} GiB`,
    system: `${os.type()} ${os.release()}, ${os.arch()}`,
    pinning,
    load: `${os.loadavg()[0]?.toFixed(2)} before the run`,
    node: execFileSync(node, ["--version"], { encoding: "utf8" }).trim(),
    manywire: readVersion("."),
    "@connectrpc/connect-node": readVersion("node_modules/@connectrpc/connect-node"),
    "@grpc/grpc-js": readVersion("node_modules/@grpc/grpc-js"),
    "@bufbuild/protobuf": readVersion("node_modules/@bufbuild/protobuf"),
    ...foreignVersions(),
    h2load: askVersion("h2load", "--version", /nghttp2\/(\S+)/),
    wrk: askVersion("wrk", "--version", /wrk (?:debian\/)?(\S+)/),
  };
}

/** @param {string} folder of a package, from the root */
function readVersion(folder) {
  return JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")).version;
}

/**
 * @param {string} program
 * @param {string} option
 * @param {RegExp} pattern
 */
function askVersion(program, option, pattern) {
  // wrk shows its version, and fails.
  const { stdout, stderr } = spawnSync(program, [option], { encoding: "utf8" });
  return pattern.exec(`${stdout}${stderr}`)?.[1] ?? "not found";
}

/**
 * The Node that `--node` names: a path, or a version, which is then installed from npm into the cache.
 * @param {string} wanted
 */
export function findNode(wanted) {
  if (!/^\d+(\.\d+)*$/.test(wanted)) {
    if (!existsSync(wanted)) throw new Error(`--node: expected a path or a version, found ${wanted}`);
    return wanted;
  }
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(root, ".cache", `node-${wanted}`);
  const program = join(folder, "node_modules", name, "bin", "node");
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true });
    const options = ["--prefix", folder, "--no-save", "--no-audit", "--no-fund"];
    execFileSync("npm", ["install", ...options, `${name}@${wanted}`], { stdio: ["ignore", "ignore", "inherit"] });
  }
  return program;
}
