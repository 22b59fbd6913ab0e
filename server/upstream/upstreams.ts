// All servers whose services are served here.
import { isDeepStrictEqual } from "node:util";
import type { DescService } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouterOptions } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import type { CallEnvironment } from "../call/call.js";
import { toError } from "../call/error.js";
import type { Method } from "../call/method.js";
import type { MethodTable } from "../call/table.js";
import type { HealthStatus } from "../operate/health.js";
import { shorten } from "../quote.js";
import { isWithin } from "../within.js";
import { AbsentUpstreamError } from "./absent-upstream-error.js";
import type { UpstreamOptions } from "./options.js";
import { createForwardTable } from "./table.js";
import { createPassUnknown, type PassUnknown } from "./unknown-methods.js";
import { Upstream, type UpstreamListener } from "./upstream.js";

/** More notes than this about one schema say nothing more. */
const notesMax = 100;

/** The methods of one upstream. */
type ForwardTable = Pick<MethodTable, "methods" | "services">;

/** Upstreams of other options, which can replace those that are there. */
export interface Replacement {
  readonly all: readonly Upstream[];
  /** Those of them that are new. Their schemas are known. */
  readonly opened: readonly Upstream[];
  /** Those that are not among them any more. */
  readonly dropped: readonly Upstream[];
}

export class Upstreams {
  readonly #listener: UpstreamListener;
  #all: readonly Upstream[];
  #isStarted = false;
  /** New ones whose schemas are being read. */
  readonly #opening = new Set<Upstream>();
  readonly #owners = new WeakMap<DescService, Upstream>();

  /** @throws TypeError that names the option */
  constructor(options: readonly UpstreamOptions[], listener: UpstreamListener) {
    this.#listener = listener;
    this.#all = options.map((each, index) => this.#open(each, `createServer: upstreams[${index}]`));
  }

  get all(): readonly Upstream[] {
    return this.#all;
  }

  /** Why some have no schema yet; undefined if all have one. */
  get problem(): ConnectError | undefined {
    const missing = this.all.filter(({ schema }) => schema === undefined);
    if (missing.length === 0) return undefined;
    const causes = missing.map(({ problem }) => problem.message);
    return new ConnectError(`upstream not ready: ${causes.join("; ")}`, Code.Unavailable);
  }

  /** A sentence for each service that several of them have. */
  get overlaps(): readonly string[] {
    const urls = new Map<string, string[]>();
    for (const { url, schema } of this.all) {
      for (const { typeName } of schema?.services ?? []) urls.set(typeName, [...(urls.get(typeName) ?? []), url]);
    }
    return [...urls].flatMap(([service, [first, ...others]]) =>
      others.length === 0 ? [] : [`${service}: ${first} serves it, and not ${others.join(", ")}, which also has it`],
    );
  }

  /** A sentence for each thing that is wrong with their schemas. */
  get notes(): readonly string[] {
    return this.all.flatMap(notesOf);
  }

  /** The methods that upstreams have now. Of a service that several have, the first serves all methods. */
  tables(
    upstreams: readonly Upstream[],
    options: ConnectRouterOptions,
    toUniversalHandler: (method: Method) => UniversalHandler,
  ): ForwardTable[] {
    const taken = new Set<string>();
    return upstreams.map((upstream) => {
      const services = (upstream.schema?.services ?? []).filter(({ typeName }) => !taken.has(typeName));
      for (const { typeName } of services) taken.add(typeName);
      const table = createForwardTable(upstream, services, options, toUniversalHandler);
      for (const service of table.services) this.#owners.set(service, upstream);
      return table;
    });
  }

  /** The upstream that calls of a service go to, also if it has been replaced; undefined for our own services. */
  ownerOf(service: DescService): Upstream | undefined {
    return this.#owners.get(service);
  }

  /**
   * Passes calls of methods that no schema has; undefined if no upstream wants them.
   *
   * @throws TypeError if calls could go astray
   */
  passUnknown(
    upstreams: readonly Upstream[],
    options: ConnectRouterOptions,
    environment: CallEnvironment,
  ): PassUnknown | undefined {
    const taker = upstreams.find(({ options }) => options.passUnknownMethods === true);
    if (taker === undefined) return undefined;
    checkPassUnknown(taker, upstreams, options);
    const made = createPassUnknown(taker, options, environment);
    this.#owners.set(made.service, taker);
    return made;
  }

  /** The status of a service by the health of its upstream; undefined if none has it. */
  statusOf(service: string): HealthStatus | "pending" | undefined {
    const upstream = this.all.find(({ schema }) => schema?.services.some(({ typeName }) => typeName === service));
    return upstream?.health.statusOf(service);
  }

  /** Begins to read the schemas, unless it has begun. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    for (const upstream of this.all) upstream.start();
  }

  /** Resolves when each has its schema. */
  get ready(): Promise<void> {
    return Promise.all(this.all.map(({ ready }) => ready)).then(() => {});
  }

  /** Reads the schemas, once. @throws Error that says why one could not be read */
  async learn(): Promise<void> {
    await Promise.all(this.all.map((upstream) => upstream.learn()));
  }

  /** Reads the schemas again. Rejects with an AggregateError if some could not be read; those stay as they are. */
  async refresh(): Promise<void> {
    const outcomes = await Promise.allSettled(this.all.map((upstream) => upstream.refresh()));
    const errors = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
    if (errors.length > 0) throw new AggregateError(errors, errors.map((error) => toError(error).message).join("; "));
  }

  /**
   * Opens upstreams for other options and reads their schemas. One whose options are the same as before is kept.
   *
   * @throws TypeError that names an option, or Error with a line for each schema that could not be read:
   * AbsentUpstreamError if no upstream has sent a wrong one
   */
  async prepare(options: readonly UpstreamOptions[], timeoutMs: number): Promise<Replacement> {
    const dropped = new Set(this.all);
    const opened: Upstream[] = [];
    try {
      const all = options.map((each, index) => {
        const same = [...dropped].find((upstream) => isDeepStrictEqual(upstream.options, each));
        if (same !== undefined) dropped.delete(same);
        else opened.push(this.#open(each, `reload: upstreams[${index}]`));
        return same ?? (opened.at(-1) as Upstream);
      });
      for (const upstream of opened) this.#opening.add(upstream);
      await learnAll(opened, timeoutMs);
      return { all, opened, dropped: [...dropped] };
    } catch (error) {
      this.abandon({ opened });
      throw error;
    }
  }

  /** Serves the upstreams of a replacement from now on. The caller closes those that it drops. */
  replace({ all, opened }: Replacement): void {
    this.#all = all;
    for (const upstream of opened) {
      this.#opening.delete(upstream);
      if (this.#isStarted) upstream.connect();
    }
  }

  /** Closes what was opened for a replacement that is not used. */
  abandon({ opened }: Pick<Replacement, "opened">): void {
    for (const upstream of opened) {
      this.#opening.delete(upstream);
      upstream.close();
    }
  }

  close(): void {
    for (const upstream of [...this.all, ...this.#opening]) upstream.close();
  }

  #open(options: UpstreamOptions, place: string): Upstream {
    try {
      return new Upstream(options, this.#listener);
    } catch (error) {
      const text = error instanceof Error ? error.message.replace(/^baseUrl: /, "url: ") : String(error);
      throw new TypeError(`${place}.${text}`, { cause: error });
    }
  }
}

function notesOf({ url, schema }: Upstream): string[] {
  const notes = [...(schema?.repairs ?? []), ...(schema?.unserved ?? [])];
  const more = notes.length > notesMax ? [`and ${notes.length - notesMax} more faults of its schema`] : [];
  return [...notes.slice(0, notesMax), ...more].map((note) => `${url}: ${toLine(note)}`);
}

/** A schema is not ours, and may have line breaks in its names. */
function toLine(text: string): string {
  return shorten(text.replace(/\p{Cc}+/gu, " "), 1000);
}

async function learnAll(upstreams: readonly Upstream[], timeoutMs: number): Promise<void> {
  const outcomes = await Promise.allSettled(
    upstreams.map(async (upstream) => {
      if (!(await isWithin(upstream.learn(), timeoutMs)) && upstream.schema === undefined) {
        throw new AbsentUpstreamError(`${upstream.url}: its schema could not be read within ${timeoutMs} ms`);
      }
    }),
  );
  const problems = outcomes.filter((outcome) => outcome.status === "rejected").map(({ reason }) => reason as Error);
  if (problems.length === 0) return;
  const text = problems.map(({ message }) => message).join("\n");
  throw problems.every(isAbsence) ? new AbsentUpstreamError(text) : new Error(text);
}

function isAbsence(problem: Error): boolean {
  const { cause } = problem;
  const isUnavailable = cause instanceof ConnectError && cause.code === Code.Unavailable;
  return isUnavailable || problem instanceof AbsentUpstreamError;
}

function checkPassUnknown(
  { options }: Upstream,
  all: readonly Upstream[],
  { interceptors = [] }: ConnectRouterOptions,
) {
  const name = "upstreams[0].passUnknownMethods";
  if (all.length > 1) throw new TypeError(`${name}: expected a single upstream, found ${all.length}`);
  if (options.services !== undefined) throw new TypeError(`${name}: expected no "services" beside it`);
  if (interceptors.length > 0) throw new TypeError(`${name}: expected no interceptors beside it, which need messages`);
}
