// Options of the OpenAPI document and the pages.
import type { ApiServer, Tag } from "./types.js";

/** A way to call a method that the documents show: a route of `google.api.http`, or Connect. */
export type OperationKind = (typeof operationKinds)[number];

/** All of them, in the order of the document. */
export const operationKinds = ["rest", "connect"] as const;

/** Options of the documents that a server has of itself. */
export interface DocsOptions {
  /** The API's name. Default: the names of its services. */
  readonly title?: string | undefined;
  /** The API's version, not that of OpenAPI. Default "0.0.0". */
  readonly version?: string | undefined;
  /** What the API is, in Markdown. Default: the comment of its service, if it has one only. */
  readonly description?: string | undefined;
  /** The API's license: a name with an SPDX identifier or a URL. */
  readonly license?: { readonly name: string; readonly identifier?: string; readonly url?: string } | undefined;
  /** Where the API is served. Default: where the document comes from. */
  readonly servers?: readonly ApiServer[] | undefined;
  /**
   * Ways for callers to prove who they are, by name, as OpenAPI's Security Scheme Objects:
   * `{ token: { type: "http", scheme: "bearer" } }`. The documents only describe them; interceptors must check them.
   */
  readonly securitySchemes?: Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined;
  /** Which of those every operation needs, as Security Requirement Objects: `[{ token: [] }]`. Default none. */
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[] | undefined;
  /** Texts of tags, instead of those of the same name that are made from services, and further tags. */
  readonly tags?: readonly Tag[] | undefined;
  /** Which ways to call a method the OpenAPI document shows. `/openapi.json?operations=rest` chooses by itself. Default both. */
  readonly operations?: readonly OperationKind[] | undefined;
  /**
   * A serialised `google.protobuf.FileDescriptorSet` with source info, for the comments: the file that
   * `buf build -o` or `protoc --include_source_info --descriptor_set_out` writes. Several may be joined end to end.
   */
  readonly descriptorSet?: Uint8Array | undefined;
}
