// A folder in which a section of the docs is followed to the letter: it runs commands, writes files and starts servers, on
// a port of its own, and uses the built package instead of one from a registry.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { freePort } from "./free-port.js";
import { type Outcome, run } from "./program.js";
import { root, type Stage } from "./stage.js";

/** The port that the docs name, and that of another server. */
const writtenPort = "50051";
const writtenOtherPort = "50052";
/** Compiles a file that the docs do not name. */
const tsc = "tsc --module nodenext --target es2022 --types node --strict --ignoreConfig --outDir dist";

/** To be disposed, which ends what it started and removes it. */
export class Workspace implements AsyncDisposable {
  readonly #folder: string;
  readonly #port: number;
  readonly #otherPort: number;
  readonly #stage: Stage;
  readonly #servers: ChildProcess[] = [];
  /** What servers have written. */
  stdout = "";
  stderr = "";

  private constructor(folder: string, [port, otherPort]: readonly [number, number], stage: Stage) {
    this.#folder = folder;
    this.#port = port;
    this.#otherPort = otherPort;
    this.#stage = stage;
  }

  static async create(stage: Stage): Promise<Workspace> {
    const folder = await mkdtemp(join(root, ".cache", "readme-"));
    await mkdir(join(folder, "node_modules"));
    await symlink(stage.folder, join(folder, "node_modules", "manywire"));
    await writeFile(join(folder, "package.json"), '{"type":"module"}');
    return new Workspace(folder, [await freePort(), await freePort()], stage);
  }

  /** Text of the docs, with the ports in use instead of the written ones. */
  fill(text: string): string {
    return text.replaceAll(writtenPort, String(this.#port)).replaceAll(writtenOtherPort, String(this.#otherPort));
  }

  pathOf(name: string): string {
    return join(this.#folder, name);
  }

  async write(name: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.#folder, name)), { recursive: true });
    await writeFile(join(this.#folder, name), this.fill(text));
  }

  /** What a checkout has besides its package. */
  async copyGenerated(): Promise<void> {
    await cp(join(root, "gen"), join(this.#folder, "gen"), { recursive: true });
  }

  /** Runs a shell script to its end. */
  run(script: string): Promise<Outcome> {
    return run("sh", ["-ec", `cd '${this.#folder}'\n${this.#translate(script)}`], { env: this.#environment });
  }

  /** Compiles and runs TypeScript. */
  async runTypeScript(text: string): Promise<Outcome> {
    await this.copyGenerated();
    await this.write("example.ts", text);
    return this.run(`${tsc} example.ts && node dist/example.js`);
  }

  /** Compiles a server in TypeScript and starts it. */
  async serveTypeScript(text: string): Promise<void> {
    await this.copyGenerated();
    await this.write("server.ts", text);
    const { code, stdout } = await this.run(`${tsc} server.ts`);
    if (code !== 0) throw new Error(`server.ts: ${stdout}`);
    await this.serve("node dist/server.js");
  }

  /** Starts a script that serves, and waits until it says where. */
  async serve(script: string): Promise<void> {
    const server = spawn("sh", ["-ec", this.#translate(script)], {
      cwd: this.#folder,
      env: this.#environment,
      stdio: ["ignore", "pipe", "pipe"],
      // A shell and what it started are ended together.
      detached: true,
    });
    this.#servers.push(server);
    server.stderr.setEncoding("utf8").on("data", (text) => {
      this.stderr += text;
    });
    server.stdout.setEncoding("utf8").on("data", (text) => {
      this.stdout += text;
    });
    const ended = once(server, "close").then(() => Promise.reject(new Error(`${script}: ended\n${this.stderr}`)));
    const port = script.includes(`--port ${writtenOtherPort}`) ? this.#otherPort : this.#port;
    while (!this.stdout.includes(`:${port}\n`)) await Promise.race([once(server.stdout, "data"), ended]);
    ended.catch(() => {});
  }

  /** The built package instead of the checkout's own scripts, and no registry. */
  #translate(script: string): string {
    const { main, folder } = this.#stage;
    return (
      this.fill(script)
        .replace("npm ci && ", "")
        .replace(/\bnpm start( --)?/, `exec node '${main}' --port ${this.#port}`)
        .replace(
          "npm run client --",
          `node '${join(folder, "dist/client/main.js")}' --url http://localhost:${this.#port}`,
        )
        .replaceAll(/^npm install .*$/gm, ":")
        // The packages are there already. What npm would do besides is in the script "prepare".
        .replaceAll(/\bnpm install$/gm, "npm run prepare")
        .replace("npx manywire init", `rm package.json && npx manywire init`)
        .replace("npx manywire serve ", `exec node '${main}' --port ${this.#port} serve `)
        .replaceAll("npx manywire ", `node '${main}' `)
        .replaceAll("npx ", "")
    );
  }

  get #environment(): NodeJS.ProcessEnv {
    const { PATH = "" } = process.env;
    return {
      ...process.env,
      MANYWIRE_PORT: String(this.#port),
      PATH: [join(root, "node_modules", ".bin"), PATH].join(delimiter),
      npm_config_loglevel: "error",
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) {
      if (server.exitCode !== null || server.pid === undefined) continue;
      const group = -server.pid;
      const ended = once(server, "close");
      // Node's watch mode may begin another process just when it is to end, which needs a signal of its own.
      const repeat = setInterval(() => process.kill(group, "SIGTERM"), 3000);
      process.kill(group, "SIGTERM");
      await ended;
      clearInterval(repeat);
    }
    await rm(this.#folder, { recursive: true });
  }
}
