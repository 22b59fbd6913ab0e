// @ts-nocheck: a script of a page, with a global that another script sets.
// Calls from a page of another origin, by what people use in browsers. Runs in the browser.
import { create, createFileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";

const file = await fetch("/test.proto").then((response) => response.arrayBuffer());
const registry = createFileRegistry(fromBinary(FileDescriptorProtoSchema, new Uint8Array(file)), () => undefined);
const service = registry.getService("manywire.test.v1.TestService");
const failure = { code: 5, message: "no such thing: ü", reason: "MISSING" };
const sent = { "x-echo-a": "1", "x-fail-b": "2" };

/** What a page has read of a reply: its texts, and headers that the handler and an interceptor have set. */
const describe = (texts, get) => `${texts.join()}; echo ${get("x-echo-a")}; cookie ${get("x-echo-cookie")}`;

/** Makes the calls of one of connect-web's transports. */
function connectCalls(createTransport, options) {
  const open = (baseUrl, credentials) =>
    createClient(
      service,
      createTransport({ ...options, baseUrl, fetch: (input, init) => fetch(input, { ...init, credentials }) }),
    );
  return {
    async unary(base, credentials) {
      let headers;
      const onHeader = (header) => {
        headers = header;
      };
      const reply = await open(base, credentials).get({ text: "a" }, { headers: sent, onHeader });
      return describe([reply.text], (name) => headers.get(name));
    },
    async stream(base, credentials) {
      let headers;
      const onHeader = (header) => {
        headers = header;
      };
      const texts = [];
      const replies = open(base, credentials).serverStream({ text: "a", count: 2 }, { headers: sent, onHeader });
      for await (const { index } of replies) texts.push(index);
      return describe(texts, (name) => headers.get(name));
    },
    async error(base, credentials) {
      try {
        await open(base, credentials).unary({ failure }, { headers: sent });
      } catch (reason) {
        const error = ConnectError.from(reason);
        if (error.code !== failure.code) throw reason;
        return `${error.rawMessage}; details ${error.details.length}; metadata ${error.metadata.get("b")}`;
      }
    },
  };
}

/** Makes the calls of Google's client in one of its modes. */
function googleCalls(format) {
  const open = (base, credentials, kind, name, request) => {
    const method = service.method[name];
    const descriptor = new grpcWeb.MethodDescriptor(
      `/${service.typeName}/${method.name}`,
      kind,
      Object,
      Object,
      (message) => toBinary(method.input, create(method.input, message)),
      (bytes) => fromBinary(method.output, bytes),
    );
    const client = new grpcWeb.GrpcWebClientBase({ format, withCredentials: credentials === "include" });
    const call = client.serverStreaming(`${base}${descriptor.name}`, request, sent, descriptor);
    return new Promise((resolve, reject) => {
      const replies = [];
      let headers = {};
      call.on("metadata", (metadata) => {
        headers = metadata;
      });
      call.on("data", (reply) => replies.push(reply));
      call.on("error", reject);
      call.on("end", () => resolve({ replies, headers }));
    });
  };
  const result = ({ replies, headers }, field) =>
    describe(
      replies.map((reply) => reply[field]),
      (name) => headers[name] ?? null,
    );
  return {
    unary: async (base, credentials) => result(await open(base, credentials, "unary", "get", { text: "a" }), "text"),
    stream: async (base, credentials) =>
      result(await open(base, credentials, "server_streaming", "serverStream", { text: "a", count: 2 }), "index"),
    async error(base, credentials) {
      try {
        await open(base, credentials, "unary", "unary", { failure });
      } catch (error) {
        if (error.code !== failure.code) throw error;
        return `${error.message}; metadata ${error.metadata.b}`;
      }
    },
  };
}

const json = { "content-type": "application/json" };

/** Makes a call by `fetch`. */
const rest = (path, init) => async (base, credentials) => {
  const response = await fetch(`${base}${path}`, { ...init, credentials, headers: { ...sent, ...init?.headers } });
  const text = await response.text();
  return `${response.status} ${text.trim()}; echo ${response.headers.get("x-echo-a")}; cookie ${response.headers.get("x-echo-cookie")}`;
};

function eventSource(base, credentials) {
  const source = new EventSource(`${base}/v1/down/a?count=2`, { withCredentials: credentials === "include" });
  const texts = [];
  return new Promise((resolve, reject) => {
    source.addEventListener("message", ({ data }) => texts.push(data));
    source.addEventListener("end", () => resolve(texts.join()));
    source.addEventListener("error", () => reject(new Error("the event source failed")));
  }).finally(() => source.close());
}

const groups = {
  "connect-web, Connect": connectCalls(createConnectTransport, {}),
  "connect-web, Connect in binary": connectCalls(createConnectTransport, { useBinaryFormat: true }),
  "connect-web, Connect GET": connectCalls(createConnectTransport, { useHttpGet: true }),
  "connect-web, gRPC-Web": connectCalls(createGrpcWebTransport, {}),
  "connect-web, gRPC-Web as JSON": connectCalls(createGrpcWebTransport, { useBinaryFormat: false }),
  "grpc-web, binary": googleCalls("binary"),
  "grpc-web, text": googleCalls("text"),
  "fetch, REST": {
    GET: rest("/v1/get/a"),
    POST: rest("/v1/unary", { method: "POST", headers: json, body: '{"text":"a"}' }),
    PATCH: rest("/v1/unary", { method: "PATCH", headers: json, body: '{"text":"a"}' }),
    DELETE: rest("/v1/unary/a", { method: "DELETE" }),
    error: rest("/v1/unary", { method: "POST", headers: json, body: JSON.stringify({ failure }) }),
    "invalid JSON": rest("/v1/unary", { method: "POST", headers: json, body: "{" }),
    "an unknown path": rest("/nothing"),
    "a wrong method": rest("/v1/get/a", { method: "PUT" }),
    document: rest("/openapi.json", { method: "HEAD" }),
  },
  EventSource: { stream: eventSource },
};

/** Name → call. */
const calls = Object.fromEntries(
  Object.entries(groups).flatMap(([group, members]) =>
    Object.entries(members).map(([name, call]) => [`${group}: ${name}`, call]),
  ),
);

/** Makes all calls. Returns name → what the page has read, or "failed" if the browser has refused that. */
globalThis.callAll = async (base, credentials) => {
  const read = {};
  for (const [name, call] of Object.entries(calls)) {
    read[name] = await call(base, credentials).catch((error) => `failed: ${error.message}`);
  }
  return read;
};
