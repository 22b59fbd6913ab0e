// What calls of one binding share, and what the head of their requests says.
import type { Compression } from "@connectrpc/connect/protocol";
import type { CallHead, CallSetup } from "../call/call.js";
import type { Method } from "../call/method.js";
import type { Exchange } from "../http/exchange.js";
import { header } from "../http/header.js";
import type { ErrorEncoder } from "../rest/error/errors.js";
import type { BodyForm } from "../rest/read/json-splitter.js";
import type { RequestDecoder } from "../rest/read/request.js";
import type { BodyEncoder } from "../rest/response.js";
import type { Binding } from "../rest/route/binding.js";
import { chooseCompression, readBodyForm, readRestTimeout } from "./head.js";
import { requestMetadata } from "./metadata.js";

/** What calls of one binding share. */
export interface RestSetup<M extends Method = Method> extends CallSetup {
  readonly method: M;
  readonly binding: Binding;
  readonly decode: RequestDecoder;
  readonly encode: BodyEncoder;
  readonly encodeError: ErrorEncoder;
  /** How often a stream of events without events is kept open, in milliseconds. */
  readonly keepAliveMs: number;
}

/** What a route and its request say of a call. */
export interface RestMatch {
  /** Raw values of the path's variables. */
  readonly captures: readonly string[];
  /** The raw query. */
  readonly query: string;
}

/** What the head of a request says of its call. */
export interface RestHead extends CallHead {
  readonly contentType: string | undefined;
  /** The form of a JSON body; undefined for any other type. */
  readonly form: BodyForm | undefined;
  /** What Accept-Encoding and the server have in common. */
  readonly compression: Compression | undefined;
}

/** Reads deadline, type and compression. */
export function readRestHead({ method }: RestSetup, { headers }: Exchange): RestHead {
  const { maxTimeoutMs, acceptCompression } = method.options;
  const timeout = readRestTimeout(headers, maxTimeoutMs);
  const contentType = headers["content-type"];
  return {
    protocol: "rest",
    timeout,
    problem: timeout.error,
    requestHeader: () => requestMetadata(headers),
    responseHeader: { "content-type": "application/json" },
    responseTrailer: {},
    contentType,
    form: readBodyForm(contentType),
    compression: chooseCompression(acceptCompression, header(headers, "accept-encoding")),
  };
}
