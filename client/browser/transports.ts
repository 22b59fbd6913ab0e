/** Transports for browsers, one for each protocol, so that bundlers leave out what a page does not use. */
import type { DescFile, Registry } from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { type CommonTransportOptions, validateReadWriteMaxBytes } from "@connectrpc/connect/protocol";
import { createTransport as openConnect } from "@connectrpc/connect/protocol-connect";
import { createTransport as openGrpcWeb } from "@connectrpc/connect/protocol-grpc-web";
import { createTypesOf } from "../../server/schema/file-types.js";
import { type Defined, withoutUndefined } from "../defined.js";
import { learnTypes } from "../learn-types.js";
import { TransportOptionError } from "../option-error.js";
import { openRest } from "../rest-transport.js";
import { checkDefaultTimeout, shortenGrpcTimeout, withDeadlines } from "../timeout.js";
import type { ClosableTransport, Protocol, ProtocolOptions, TransportOptions } from "../transport.js";
import { withoutBidi } from "../without-bidi.js";
import { createFetchClient } from "./fetch-client.js";
import { browserJson } from "./json.js";
import { createValueTypes } from "./value-types.js";

/** Makes a transport for Connect. */
export function createConnectTransport(options: ProtocolOptions): ClosableTransport {
  return createFetchTransport(options, openConnect, "connect");
}

/** Makes a transport for gRPC-Web. */
export function createGrpcWebTransport(options: ProtocolOptions): ClosableTransport {
  return createFetchTransport(options, openGrpcWeb, "grpc-web");
}

/** Makes a transport for REST. */
export function createRestTransport(options: ProtocolOptions): ClosableTransport {
  return createFetchTransport(
    options,
    (common) => openRest({ ...common, httpVersion: "2", codec: browserJson }),
    "rest",
    createValueTypes,
  );
}

const creators = {
  connect: createConnectTransport,
  "grpc-web": createGrpcWebTransport,
  rest: createRestTransport,
};

/**
 * Makes a transport for one of the protocols that work in browsers. Throws a TransportOptionError for gRPC, and for options
 * that cannot be fulfilled. `httpVersion`, `http2`, `tls` and pings are the browser's own.
 */
export function createTransport({ protocol, ...options }: TransportOptions): ClosableTransport {
  if (protocol in creators) return creators[protocol as keyof typeof creators](options);
  const found = protocol === "grpc" ? "grpc, which needs trailers that browsers do not show" : `"${protocol}"`;
  throw new TransportOptionError("protocol", `expected ${Object.keys(creators).join(", ")}, found ${found}`);
}

type OpenTransport = (options: CommonTransportOptions & Pick<Defined<TransportOptions>, "httpRules">) => Transport;

const readMaxBytesDefault = 4 * 1024 * 1024;

/** @param createTypes those that JSON knows: without those of google.rpc for protocols that have binary error details */
function createFetchTransport(
  given: ProtocolOptions,
  open: OpenTransport,
  protocol: Protocol,
  createTypes: (files: ReadonlySet<DescFile>) => Registry = createTypesOf,
): ClosableTransport {
  const options = withoutUndefined(given);
  if (options.serviceConfig !== undefined) {
    throw new TransportOptionError("serviceConfig", "expected none in browsers");
  }
  const { baseUrl, defaultTimeoutMs, fetch = globalThis.fetch.bind(globalThis) } = options;
  checkDefaultTimeout(defaultTimeoutMs);
  let closing = new AbortController();
  const close = () => {
    closing.abort(new ConnectError("the transport was closed", Code.Canceled));
    closing = new AbortController();
  };
  const { interceptors, jsonOptions } = learnTypes(options, createTypes);
  const transport = open({
    ...options,
    ...validateReadWriteMaxBytes(options.readMaxBytes ?? readMaxBytesDefault, options.writeMaxBytes, 0),
    httpClient: createFetchClient(fetch, () => closing.signal),
    baseUrl: resolveBaseUrl(baseUrl),
    interceptors: [...interceptors, shortenGrpcTimeout],
    jsonOptions,
    useBinaryFormat: options.useBinaryFormat ?? true,
    acceptCompression: [],
    sendCompression: null,
  });
  const timed = withDeadlines(withoutBidi(transport, "browsers"), protocol, defaultTimeoutMs);
  return { ...timed, close, [Symbol.dispose]: close };
}

/** A path is one of the page's own origin. */
function resolveBaseUrl(baseUrl: string): string {
  const page = globalThis.location?.href;
  const url = URL.canParse(baseUrl, page) ? new URL(baseUrl, page) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url.href;
  throw new TransportOptionError("baseUrl", `expected an http: or https: URL, or a path, found "${baseUrl}"`);
}
