// All servers whose services are served here.
import type { ConnectRouterOptions } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import type { Method } from "../call/method.js";
import type { MethodTable } from "../call/table.js";
import type { UpstreamOptions } from "./options.js";
import { createForwardTable } from "./table.js";
import { Upstream, type UpstreamListener } from "./upstream.js";

export class Upstreams {
  readonly all: readonly Upstream[];

  /** @throws TypeError that names the option */
  constructor(options: readonly UpstreamOptions[], listener: UpstreamListener) {
    this.all = options.map((each, index) => {
      try {
        return new Upstream(each, listener);
      } catch (error) {
        const text = error instanceof Error ? error.message.replace(/^baseUrl: /, "url: ") : String(error);
        throw new TypeError(`createServer: upstreams[${index}].${text}`, { cause: error });
      }
    });
  }

  /** Why some have no schema yet; undefined if all have one. */
  get problem(): ConnectError | undefined {
    const missing = this.all.filter(({ schema }) => schema === undefined);
    if (missing.length === 0) return undefined;
    const causes = missing.map(({ problem }) => problem.message);
    return new ConnectError(`upstream not ready: ${causes.join("; ")}`, Code.Unavailable);
  }

  /** The methods that they have now. */
  tables(
    options: ConnectRouterOptions,
    toUniversalHandler: (method: Method) => UniversalHandler,
  ): Pick<MethodTable, "methods" | "services">[] {
    return this.all.map((upstream) => createForwardTable(upstream, options, toUniversalHandler));
  }

  /** Begins to read the schemas. */
  start(): void {
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

  close(): void {
    for (const upstream of this.all) upstream.close();
  }
}
