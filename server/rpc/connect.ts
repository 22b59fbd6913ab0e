// Connect: streams in envelopes with a last one of JSON; unary calls as plain bodies with HTTP's own status codes.
// https://connectrpc.com/docs/protocol
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  codeToHttpStatus,
  endStreamFlag,
  endStreamToJson,
  errorToJsonBytes,
  protocolVersion,
  trailerMux,
} from "@connectrpc/connect/protocol-connect";
import type { ResponseMetadata } from "../call/call.js";
import { toNodeHeaders } from "../call/headers.js";
import type { MethodOptions } from "../call/method.js";
import type { Body } from "../http/exchange.js";
import { header, toWebHeaders } from "../http/header.js";
import { shorten } from "../quote.js";
import type { BodyResponse } from "./body-response.js";
import { addDebugJson } from "./connect-details.js";
import { encodeEnvelope } from "./envelope.js";
import type { Ending, EnvelopeWire } from "./wire.js";

const ok: Ending = { envelope: encodeEnvelope(endStreamFlag, Buffer.from("{}")) };

/** Connect's streams. */
export const connectStream: EnvelopeWire = {
  protocol: "connect",
  encodingHeader: "connect-content-encoding",
  acceptEncodingHeader: "Connect-Accept-Encoding",
  skippedFlag: endStreamFlag,
  hasTrailers: false,
  initialTrailer: {},
  end({ responseTrailer }, error, { jsonOptions }) {
    if (error === undefined && !responseTrailer.isTouched) return ok;
    return toEnding(responseTrailer, error && addDebugJson(error, jsonOptions), jsonOptions);
  },
  pass(trailers, error, { jsonOptions }) {
    return toEnding(toWebHeaders(error === undefined ? metadataOf(trailers) : {}), error, jsonOptions);
  },
};

function toEnding(
  metadata: Headers,
  error: ConnectError | undefined,
  jsonOptions: MethodOptions["jsonOptions"],
): Ending {
  const json = endStreamToJson(metadata, error, jsonOptions);
  return { envelope: encodeEnvelope(endStreamFlag, Buffer.from(JSON.stringify(json))) };
}

/** Trailers of gRPC without the status. */
export function metadataOf(trailers: Readonly<OutgoingHttpHeaders>): OutgoingHttpHeaders {
  const metadata = { ...trailers };
  for (const name of ["grpc-status", "grpc-message", "grpc-status-details-bin"]) delete metadata[name];
  return metadata;
}

/** A response before its compression is settled. */
export type Uncompressed = Pick<BodyResponse, "status" | "headers" | "body">;

/** Connect's unary calls. Trailers are among the headers, with the prefix `trailer-`. */
export const connectUnary = {
  acceptEncodingHeader: "Accept-Encoding",

  /** The response to a call that went well. */
  message({ responseHeader, responseTrailer }: ResponseMetadata, contentType: string, body: Body): Uncompressed {
    const isPlain = !responseHeader.isTouched && !responseTrailer.isTouched;
    const headers = isPlain
      ? { "content-type": contentType }
      : toNodeHeaders(trailerMux(responseHeader, responseTrailer));
    return { status: 200, headers, body };
  },

  /** The response to a call that failed: the error as JSON, whatever codec the request had. */
  error(
    { responseHeader, responseTrailer }: ResponseMetadata,
    error: ConnectError,
    options: MethodOptions,
  ): Uncompressed {
    const header = trailerMux(responseHeader, responseTrailer);
    header.set("content-type", "application/json");
    error.metadata.forEach((value, name) => {
      header.append(name, value);
    });
    return {
      status: codeToHttpStatus(error.code),
      headers: toNodeHeaders(header),
      body: errorToJsonBytes(addDebugJson(error, options.jsonOptions), options.jsonOptions),
    };
  },
};

/** Where a request has the version of the protocol (https://connectrpc.com/docs/protocol#unary-request "Connect-Protocol-Version"). */
type Place = "header" | "query";

const places: Record<Place, { name: string; kind: string; value: string }> = {
  header: { name: "Connect-Protocol-Version", kind: "header", value: protocolVersion },
  query: { name: "connect", kind: "parameter", value: `v${protocolVersion}` },
};

/** Returns the error of a POST with a missing or unknown version; undefined if the server does not require one. */
export function checkVersionHeader(headers: IncomingHttpHeaders, options: MethodOptions): ConnectError | undefined {
  return options.requireConnectProtocolHeader
    ? check("header", header(headers, "connect-protocol-version"))
    : undefined;
}

/** The same of a GET, which has its version in the query. */
export function checkVersionParameter(query: URLSearchParams, options: MethodOptions): ConnectError | undefined {
  return options.requireConnectProtocolHeader ? check("query", query.get("connect") ?? undefined) : undefined;
}

function check(place: Place, found: string | undefined): ConnectError | undefined {
  const { name, kind, value } = places[place];
  if (found === value) return undefined;
  const message =
    found === undefined
      ? `missing required ${kind}: set ${name} to "${value}"`
      : `${name} must be "${value}": got "${shorten(found)}"`;
  return new ConnectError(message, Code.InvalidArgument);
}
