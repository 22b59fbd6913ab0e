// Random messages by every binding of the test service, from the client's transport to the server's handler and back. Each
// binding is a method of its own, so that there is no other that the client could take.

import {
  create,
  createFileRegistry,
  type DescService,
  getOption,
  type Message,
  setExtension,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, MethodOptionsSchema } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl, Transport } from "@connectrpc/connect";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClient, createTransport } from "../../../client/index.js";
import { http } from "../../../gen/google/api/annotations_pb.js";
import type { HttpBody } from "../../../gen/google/api/httpbody_pb.js";
import { ownJson } from "../../../server/codec/json.js";
import type { Binding } from "../../../server/rest/route/binding.js";
import { RestService } from "../../gen/manywire/test/rest/v1/rest_pb.js";
import { answerable, bytesOf, isEmptyFile, sendable, tryAnswer, tryEncode } from "../../support/arbitrary-exchange.js";
import { collect, each } from "../../support/outcome.js";
import { registry } from "../../support/rest-bindings.js";
import { routesOf } from "../../support/routing.js";
import { startServer, type TestServer } from "../../support/server.js";

const numRuns = Number(process.env.REST_BINDING_CASES ?? 12);

/** A service with a method for each rule of the test service. */
function splitBindings(): DescService {
  const method = RestService.methods.flatMap(({ proto, name, ...desc }) => {
    const { additionalBindings, ...own } = getOption({ ...desc, name, proto }, http);
    return [own, ...additionalBindings].map((rule, index) => {
      const options = create(MethodOptionsSchema);
      setExtension(options, http, { ...rule, additionalBindings: [] });
      return { ...proto, name: `${name}${index}`, options };
    });
  });
  const files = [RestService.file, ...RestService.file.dependencies];
  const file = create(FileDescriptorProtoSchema, {
    name: "bindings.proto",
    package: "bindings",
    syntax: "proto3",
    dependency: files.map(({ proto }) => proto.name),
    service: [{ name: "Bindings", method: method.filter(({ name }) => name !== "Unrouted0") }],
  });
  const found = createFileRegistry(file, (name) => files.find(({ proto }) => proto.name === name));
  return found.getService("bindings.Bindings") as DescService;
}

const service = splitBindings();
const { bindings } = routesOf([service]);

/** The requests of the handlers since the last read, and their responses. */
let received: { method: string; message: Message }[] = [];
let replies: readonly Message[] = [];

/** Handlers that note what they are sent. */
function noting(): ServiceImpl<DescService> {
  const handlers = service.methods.map(({ name, localName, methodKind }) => {
    const note = (message: Message) => received.push({ method: name, message });
    const unary = (message: Message) => {
      note(message);
      return replies[0];
    };
    const clientStream = async (messages: AsyncIterable<Message>) => {
      for await (const message of messages) note(message);
      return replies[0];
    };
    const serverStream = async function* (message: Message) {
      note(message);
      yield* replies;
    };
    const bidiStream = async function* (messages: AsyncIterable<Message>) {
      for await (const message of messages) note(message);
      yield* replies;
    };
    const kinds = { unary, client_streaming: clientStream, server_streaming: serverStream, bidi_streaming: bidiStream };
    return [localName, kinds[methodKind]];
  });
  return Object.fromEntries(handlers);
}

let server: TestServer;
const transports = new Map<string, ReturnType<typeof createTransport>>();

beforeAll(async () => {
  server = await startServer({ routes: (router) => router.service(service, noting()), rest: { registry } });
  for (const httpVersion of ["1.1", "2"] as const) {
    const options = { protocol: "rest", baseUrl: server.url, httpVersion, jsonOptions: { registry } } as const;
    transports.set(httpVersion, createTransport(options));
  }
});
afterAll(async () => {
  for (const transport of transports.values()) transport.close();
  await server[Symbol.asyncDispose]();
});

/** Calls the method of a binding, with as many messages as it takes. @returns all replies */
async function call(transport: Transport, { method }: Binding, message: Message): Promise<Message[]> {
  const run = createClient(service, transport)[method.localName] as unknown as (one: unknown) => unknown;
  const isStream = method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";
  const answer = run(isStream ? each(message, message) : message);
  return answer instanceof Promise ? [(await answer) as Message] : collect(answer as AsyncIterable<Message>);
}

/** A stream of bytes has chunks of any size. The type is that of the first. */
function isInPieces({ method, responseBody }: Binding): boolean {
  return responseBody.kind === "bytes" && method.methodKind !== "unary";
}

function joined(messages: readonly Message[]): string {
  return Buffer.concat((messages as HttpBody[]).map(({ data }) => data)).toString("hex");
}

/** A template with a wildcard that no field fills can be served, but not called. */
const uncallable = 'bindings.Bindings.Template4: google.api.http get "/v1/*/plain/**"';

describe.each(["1.1", "2"])("over HTTP/%s, random messages come and go unchanged", (httpVersion) => {
  const carried = bindings
    .filter(({ label }) => label !== uncallable)
    .filter(({ method }) => httpVersion === "2" || method.methodKind !== "bidi_streaming");
  test.each(carried.map((binding) => [binding.label, binding] as const))("by %s", async (_, binding) => {
    const { input, output, name, methodKind } = binding.method;
    const transport = transports.get(httpVersion) as Transport;
    const hasManyRequests = methodKind === "client_streaming" || methodKind === "bidi_streaming";
    const hasManyReplies = methodKind === "server_streaming" || methodKind === "bidi_streaming";
    const check = async (message: Message, reply: Message) => {
      received = [];
      replies = hasManyReplies ? [reply, reply] : [reply];
      const found = await call(transport, binding, message);
      const sent = [name, bytesOf(input, message)];
      const expected = hasManyRequests ? [sent, sent] : [sent];
      expect(received.map((one) => [one.method, bytesOf(input, one.message)])).toEqual(expected);
      const bytes = (messages: readonly Message[]) =>
        isInPieces(binding) ? joined(messages) : messages.map((one) => bytesOf(output, one));
      expect(isEmptyFile(binding, reply) ? bytes(replies) : bytes(found)).toEqual(bytes(replies));
    };
    const messages = sendable(binding).filter((message) => tryEncode(ownJson, binding, message) !== undefined);
    const answers = answerable(binding).filter((reply) => tryAnswer(binding, reply) !== undefined);
    await fc.assert(fc.asyncProperty(messages, answers, check), { numRuns, endOnFailure: true });
  });
});

test("every rule of the test service is among them", () => {
  expect(bindings.length).toBe(routesOf([RestService]).bindings.length);
});
