// Runs the server of this folder as a child of the test, and reads its state.
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { ServerOptions } from "../../../server/index.js";
import { buildProcesses } from "./build.js";
import type { Answer, Question, Report } from "./main.js";

/** Options of the server that can be sent to another process. */
export interface ChildOptions
  extends Pick<
    ServerOptions,
    | "fastLane"
    | "host"
    | "limits"
    | "port"
    | "readMaxBytes"
    | "drainDelayMs"
    | "drainTimeoutMs"
    | "maxTimeoutMs"
    | "httpRules"
    | "trustProxy"
  > {
  /** Servers whose services are served instead of the test services. */
  readonly upstreams?: readonly ChildUpstream[];
  /** Whether calls go through interceptors, which misbehave if a request header says so. Default false. */
  readonly hasInterceptors?: boolean;
  /** Whether the observer of calls throws, and compressions fail. Default false. */
  readonly hasRudeCallbacks?: boolean;
  /** Maximum size of the heap in megabytes, beyond which the process ends. Default: Node's. */
  readonly heapMb?: number;
  /** Certificate and key in PEM; with them the server speaks TLS. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
}

/** An upstream, by options that can be sent to another process. */
export interface ChildUpstream {
  readonly url: string;
  /** Its schema: a FileDescriptorSet in base64. */
  readonly schema: string;
  /** What to trust if its URL is an `https:` one, in PEM. */
  readonly tls?: { readonly ca: string };
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** A server in a process of its own. */
export interface Child {
  readonly url: string;
  readonly process: ChildProcess;
  /** Resolves when the process has ended, in whatever way. */
  readonly exit: Promise<Exit>;
  /** How the server was when it was closed. Rejects if the process ends otherwise. */
  readonly last: Promise<{ readonly tookMs: number; readonly report: Report }>;
  /** Begins to measure the peak anew. */
  mark(): Promise<void>;
  /** Throws if the process has ended. */
  report(): Promise<Report>;
  /** Closes the server. Resolves when it is closed, with the milliseconds that it took. */
  close(): Promise<number>;
}

/** What a child starts with, besides its options. */
export interface ChildLimits {
  /** The number of files and sockets that it may have open. */
  readonly descriptors?: number;
  /** A command that runs the command behind it, such as `ip netns exec NAME`. */
  readonly prefix?: readonly string[];
}

/** Starts a server. */
export async function startChild(
  { heapMb, ...options }: ChildOptions,
  { descriptors, prefix = [] }: ChildLimits = {},
): Promise<Child> {
  const program = join(buildProcesses(), "test/support/process/main.js");
  const heap = heapMb === undefined ? [] : [`--max-old-space-size=${heapMb}`];
  const command = [process.execPath, "--expose-gc", ...heap, program, JSON.stringify(options)];
  const limited = ["sh", "-c", `ulimit -n ${descriptors}; exec "$@"`, "sh", ...command];
  const [file = "", ...args] = [...prefix, ...(descriptors === undefined ? command : limited)];
  const child = spawn(file, args, { stdio: ["ignore", "ignore", "pipe", "ipc"] });
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  // A message to a process that is ending is an error. `exit` reports the end.
  child.on("error", () => {});
  const exit = new Promise<Exit>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal, stderr }));
  });
  const ask = async <Kind extends Answer["kind"]>(kind: Kind, question?: Question["kind"]) => {
    const answer = answerOf(child, exit, kind);
    if (question !== undefined && child.connected) child.send({ kind: question });
    return answer;
  };
  const { url } = await ask("listening");
  const last = ask("closed");
  last.catch(() => {});
  return {
    url,
    process: child,
    exit,
    last,
    mark: async () => void (await ask("marked", "mark")),
    report: async () => (await ask("report", "report")).report,
    close: async () => (await ask("closed", "close")).tookMs,
  };
}

/** The next message of the kind. Throws if the process ends before. */
function answerOf<Kind extends Answer["kind"]>(
  child: ChildProcess,
  exit: Promise<Exit>,
  kind: Kind,
): Promise<Extract<Answer, { kind: Kind }>> {
  return new Promise((resolve, reject) => {
    const onMessage = (answer: Answer) => {
      if (answer.kind !== kind) return;
      child.off("message", onMessage);
      resolve(answer as Extract<Answer, { kind: Kind }>);
    };
    child.on("message", onMessage);
    void exit.then(({ code, signal, stderr }) => {
      child.off("message", onMessage);
      reject(new Error(`the server has ended, with ${code ?? signal}:\n${stderr}`));
    });
  });
}
