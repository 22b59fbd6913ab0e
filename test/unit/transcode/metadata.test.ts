import { expect, test } from "vitest";
import { changeHeaders } from "../../../server/http/similar-headers.js";
import { requestMetadata, responseHeaders, responseTrailers } from "../../../server/transcode/metadata.js";

test.each([
  [{ "x-a": "1", cookie: "c" }, ["x-a", "cookie"]],
  [{ host: "h", "content-type": "t", "content-length": "1", "content-encoding": "gzip", "x-a": "1" }, ["x-a"]],
  [{ connection: "Close,X-A ,\tx-b", "x-a": "1", "x-b": "2", "x-c": "3", close: "4" }, ["x-c"]],
  [{ te: "trailers", trailer: "x", upgrade: "h2c", "http2-settings": "s", "x-a": "1" }, ["x-a"]],
  [{ "x-server-timeout": "1", "grpc-timeout": "1S", "connect-timeout-ms": "1", "x-a": "1" }, ["x-a"]],
  [{ __proto__x: "1", "set-cookie": ["a", "b"] }, ["__proto__x", "set-cookie"]],
])("of the headers %o a handler finds %j", (headers, names) => {
  const metadata = requestMetadata(headers);
  expect(Object.keys(metadata)).toEqual(names);
  expect(metadata).toMatchObject(Object.fromEntries(Object.entries(headers).filter(([name]) => names.includes(name))));
});

test.each([false, true])(
  "of headers with other values a handler finds those (names of grpc-gateway: %s)",
  (hasGatewayNames) => {
    const base = Object.freeze({
      host: "h",
      connection: "x-b",
      "x-a": "1",
      "x-b": "2",
      "content-length": "3",
      cookie: "c",
    });
    for (const names of [["x-a"], ["x-b"], ["content-length"], ["x-a", "content-length", "cookie"]]) {
      const changes = names.map((name) => ({ name, value: `other ${name}` }));
      const headers = changeHeaders(base, changes);
      const found = requestMetadata(headers, hasGatewayNames);
      expect(Object.entries(found)).toEqual(Object.entries(requestMetadata({ ...headers }, hasGatewayNames)));
    }
  },
);

test("hop-by-hop headers and content-length of a handler are not sent", () => {
  const headers = new Headers({ "content-length": "1", connection: "close", "content-encoding": "br", "x-a": "1" });
  headers.append("set-cookie", "a=1");
  headers.append("set-cookie", "b=2");
  expect({ ...responseHeaders(headers) }).toEqual({
    "content-encoding": "br",
    "set-cookie": ["a=1", "b=2"],
    "x-a": "1",
  });
  expect({ ...responseTrailers(headers) }).toEqual({ "x-a": "1" });
});

test.each([
  [
    { "grpc-metadata-x-a": "1", "x-b": "2" },
    { "x-a": "1", "x-b": "2" },
  ],
  [{ "grpc-metadata-x-a": "1", "x-a": "2" }, { "x-a": "1, 2" }],
  [{ "grpc-metadata-x-bin": "AA, AAE" }, { "x-bin": "AA, AAE" }],
  [
    { authorization: "b", cookie: "c" },
    { authorization: "b", cookie: "c", "grpcgateway-authorization": "b", "grpcgateway-cookie": "c" },
  ],
  [
    { host: "h", "user-agent": "u" },
    { "grpcgateway-host": "h", "grpcgateway-user-agent": "u", "user-agent": "u" },
  ],
  [{ "grpcgateway-cookie": "admin", "grpc-metadata-": "1" }, {}],
  [{ "grpc-metadata-te": "trailers", "grpc-metadata-content-length": "5", "grpc-metadata-grpc-timeout": "1S" }, {}],
  [{ connection: "Grpc-Metadata-X-A, cookie", "grpc-metadata-x-a": "1", cookie: "c" }, {}],
])("of the headers %o a handler finds %o by the names of grpc-gateway", (headers, found) => {
  expect({ ...requestMetadata(headers, true) }).toEqual(found);
});

test("headers and trailers of a handler are sent by the names of grpc-gateway", () => {
  const metadata = new Headers({ "content-type": "image/png", "content-encoding": "br", "x-a": "1", te: "trailers" });
  expect({ ...responseHeaders(metadata, true) }).toEqual({
    "content-encoding": "br",
    "content-type": "image/png",
    "grpc-metadata-x-a": "1",
  });
  expect({ ...responseTrailers(metadata, true) }).toEqual({ "grpc-trailer-x-a": "1" });
});
