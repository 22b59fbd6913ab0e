// What the server tells people and tools of itself over plain HTTP, by path: documents made from its methods.
import type { Method } from "../call/method.js";
import type { Binding } from "../rest/binding.js";
import { createPages, type Pages } from "./page/pages.js";

/** A way to call a method that the documents show: a route of `google.api.http`, or Connect. */
export type OperationKind = "rest" | "connect";

/** Options of the documents that a server has of itself. */
export interface DocsOptions {
  /** The API's name. Default: the packages of its services. */
  readonly title?: string | undefined;
  /** The API's version, not that of OpenAPI. Default "0.0.0". */
  readonly version?: string | undefined;
  /** In Markdown. */
  readonly description?: string | undefined;
  /**
   * A serialised `google.protobuf.FileDescriptorSet` with source info, for the comments: the file that
   * `buf build -o` or `protoc --include_source_info --descriptor_set_out` writes. Several may be joined end to end.
   */
  readonly descriptorSet?: Uint8Array | undefined;
  /** Which ways to call a method are shown. Default both. */
  readonly operations?: readonly OperationKind[] | undefined;
}

/** What a server has to tell of. */
export interface Described {
  readonly methods: readonly Method[];
  /** Its routes of `google.api.http`. */
  readonly bindings: readonly Binding[];
}

/**
 * The documents of a server. They come last: a method, a probe, or a route of `google.api.http` with the path of a
 * document is what is served there.
 */
export function createDocs(options: DocsOptions | boolean, { methods, bindings }: Described): Pages {
  if (options === false) return new Map();
  const { title = "manywire", description = "" } = options === true ? {} : options;
  return createPages({ methods, bindings, title, description, comments: new Map() });
}
