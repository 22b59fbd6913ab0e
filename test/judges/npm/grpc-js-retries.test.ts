// Retries: our client and grpc-js's, given the same service config, make the same attempts on the same server, and their
// callers get the same.
import type { JsonObject } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import * as grpc from "@grpc/grpc-js";
import { expect, onTestFinished, test } from "vitest";
import { createTransport } from "../../../client/index.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { type GrpcJsHandlers, startGrpcJsServer } from "../../support/grpc-js-server.js";
import { each } from "../../support/outcome.js";
import { call, openClientTo } from "./grpc-js-client.js";

/** What the server does in one attempt. */
interface Outcome {
  /** 0 is success. */
  readonly code: grpc.status;
  readonly pushback?: string;
  /** What comes before the status. */
  readonly after?: "headers" | "message";
}

const { UNAVAILABLE, RESOURCE_EXHAUSTED, INTERNAL, OK } = grpc.status;
const ok: Outcome = { code: OK };
const down: Outcome = { code: UNAVAILABLE };

const retryPolicy = {
  maxAttempts: 4,
  initialBackoff: "0.005s",
  maxBackoff: "0.01s",
  backoffMultiplier: 1.5,
  retryableStatusCodes: ["UNAVAILABLE", 8],
};
const configOf = (change: JsonObject = {}, more: JsonObject = {}): JsonObject => ({
  methodConfig: [{ name: [{}], retryPolicy: { ...retryPolicy, ...change } }],
  ...more,
});

const service = TestService.typeName;
const onlyGet = { methodConfig: [{ name: [{ service, method: "Get" }], retryPolicy }] };
const onlyUnary = { methodConfig: [{ name: [{}] }, { name: [{ service, method: "Unary" }], retryPolicy }] };
const throttled = (maxTokens: number, tokenRatio: number) =>
  configOf({}, { retryThrottling: { maxTokens, tokenRatio } });

type Kind = "unary" | "serverStream" | "clientStream" | "bidiStream";
const kinds: readonly Kind[] = ["unary", "serverStream", "clientStream", "bidiStream"];

/** Rows: the config, and the outcomes of the attempts of each call that a client makes, one call after the other. */
const rows: [title: string, config: JsonObject, calls: Outcome[][]][] = [
  ["success", configOf(), [[ok]]],
  ["two failures", configOf(), [[down, down, ok]]],
  ["failures only", configOf(), [[down, down, down, down, ok]]],
  ["two attempts", configOf({ maxAttempts: 2 }), [[down, down, ok]]],
  ["more attempts than there may be", configOf({ maxAttempts: 9 }), [[down, down, down, down, down, ok]]],
  ["a code by number", configOf(), [[{ code: RESOURCE_EXHAUSTED }, ok]]],
  ["another code", configOf(), [[{ code: INTERNAL }, ok]]],
  ["another code later", configOf(), [[down, { code: INTERNAL }, ok]]],
  ["names in lower case", configOf({ retryableStatusCodes: ["internal"] }), [[{ code: INTERNAL }, ok]]],
  ["no policy", {}, [[down, ok]]],
  ["a policy of another method", onlyGet, [[down, ok]]],
  ["a policy of one method", onlyUnary, [[down, ok]]],
  ["a pushback", configOf({ initialBackoff: "100s", maxBackoff: "100s" }), [[{ ...down, pushback: "5" }, ok]]],
  ["a pushback of 0", configOf(), [[{ ...down, pushback: "0" }, down, ok]]],
  ["a negative pushback", configOf(), [[{ ...down, pushback: "-1" }, ok]]],
  ["a negative pushback later", configOf(), [[down, { ...down, pushback: "-5" }, ok]]],
  ["headers", configOf(), [[{ ...down, after: "headers" }, ok]]],
  ["headers later", configOf(), [[down, { ...down, after: "headers" }, ok]]],
  ["a message", configOf(), [[{ ...down, after: "message" }, ok]]],
  ["a message later", configOf(), [[down, { ...down, after: "message" }, ok]]],
  ["throttling", throttled(4, 0.5), [[down, down, ok], [down, ok], [ok], [ok], [ok], [down, ok], [down, ok]]],
  ["throttling at once", throttled(1, 1), [[down, ok], [ok], [down, ok]]],
  ["throttling and another code", throttled(3, 1), [[{ code: INTERNAL }], [{ code: INTERNAL }], [down, ok]]],
];

/** The server, and what it has seen of each call. */
async function start() {
  const outcomes = new Map<string, Outcome[]>();
  const seen = new Map<string, string[]>();
  const next = ({ metadata }: { metadata: grpc.Metadata }): Outcome => {
    const id = String(metadata.get("x-call")[0]);
    const attempts = seen.get(id) ?? [];
    seen.set(id, [...attempts, metadata.get("grpc-previous-rpc-attempts").join()]);
    return outcomes.get(id)?.[attempts.length] ?? ok;
  };
  const reply = { $typeName: "manywire.test.v1.TestReply", text: "", data: new Uint8Array(), index: 0 };
  const trailersOf = ({ pushback }: Outcome): grpc.Metadata => {
    const trailers = new grpc.Metadata();
    if (pushback !== undefined) trailers.set("grpc-retry-pushback-ms", pushback);
    return trailers;
  };
  const one = (call: grpc.ServerUnaryCall<unknown, unknown>, done: grpc.sendUnaryData<unknown>) => {
    const outcome = next(call);
    // A unary call has no message before its status.
    if (outcome.after !== undefined) call.sendMetadata(new grpc.Metadata());
    if (outcome.code === OK) done(null, reply);
    else done({ code: outcome.code, details: "no", metadata: trailersOf(outcome) });
  };
  const many = (call: grpc.ServerWritableStream<unknown, unknown>) => {
    const outcome = next(call);
    if (outcome.after === "headers") call.sendMetadata(new grpc.Metadata());
    if (outcome.after === "message" || outcome.code === OK) call.write(reply);
    if (outcome.code === OK) call.end();
    else call.emit("error", { code: outcome.code, details: "no", metadata: trailersOf(outcome) });
  };
  const afterRequests =
    <Call extends NodeJS.EventEmitter, Rest extends unknown[]>(act: (call: Call, ...rest: Rest) => void) =>
    (call: Call, ...rest: Rest) => {
      call.on("data", () => {});
      call.on("end", () => act(call, ...rest));
    };
  const handlers: GrpcJsHandlers = {
    unary: one as never,
    serverStream: many as never,
    clientStream: afterRequests(one as never) as never,
    bidiStream: afterRequests(many as never) as never,
  };
  return { authority: await startGrpcJsServer(handlers), outcomes, seen };
}

/** What the caller gets: the code, and the number of messages before it. */
type Result = readonly [code: number, messages: number];

type CallOnce = (kind: Kind, id: string) => Promise<Result>;

function openOurs(authority: string, serviceConfig: JsonObject): CallOnce {
  const transport = createTransport({ protocol: "grpc", baseUrl: `http://${authority}`, serviceConfig });
  onTestFinished(() => transport.close());
  const client = createClient(TestService, transport);
  return async (kind, id) => {
    const options = { headers: { "x-call": id } };
    let messages = 0;
    try {
      if (kind === "unary") messages += Number((await client.unary({}, options)) !== undefined);
      if (kind === "clientStream") messages += Number((await client.clientStream(each({}, {}), options)) !== undefined);
      if (kind === "serverStream") for await (const _ of client.serverStream({}, options)) messages++;
      if (kind === "bidiStream") for await (const _ of client.bidiStream(each({}, {}), options)) messages++;
      return [OK, messages];
    } catch (error) {
      return [ConnectError.from(error).code, messages];
    }
  };
}

function openTheirs(authority: string, serviceConfig: JsonObject): CallOnce {
  const options = { "grpc.service_config": JSON.stringify(serviceConfig), "grpc.service_config_disable_resolution": 1 };
  const client = openClientTo(authority, { options });
  return async (kind, id) => {
    const metadata = new grpc.Metadata();
    metadata.set("x-call", id);
    const requests = kind === "clientStream" || kind === "bidiStream" ? [{}, {}] : [{}];
    const { replies, status } = await call(client, TestService.method[kind], requests, { metadata });
    return [status.code, replies.length];
  };
}

const table = rows.flatMap(([title, config, calls]) => kinds.map((kind) => [kind, title, config, calls] as const));

test.each(table)("%s, %s: both clients make the same attempts", async (kind, _, config, calls) => {
  const { authority, outcomes, seen } = await start();
  const run = async (callOnce: CallOnce, client: string) => {
    const results: unknown[] = [];
    for (const [index, attempts] of calls.entries()) {
      const id = `${client} ${index}`;
      outcomes.set(id, attempts);
      const result = await callOnce(kind, id);
      results.push({ result, attempts: seen.get(id) });
    }
    return results;
  };
  const ours = await run(openOurs(authority, config), "ours");
  expect(ours).toEqual(await run(openTheirs(authority, config), "theirs"));
  expect(ours.length).toBe(calls.length);
});

/** Where A6 says something else than grpc-js does: what is no number asks for no retry. */
test("a pushback that is no number ends our attempts, where grpc-js tries again at once", async () => {
  const { authority, outcomes, seen } = await start();
  for (const id of ["ours", "theirs"]) outcomes.set(id, [{ ...down, pushback: "soon" }, ok]);
  expect(await openOurs(authority, configOf())("unary", "ours")).toEqual([Code.Unavailable, 0]);
  expect(await openTheirs(authority, configOf())("unary", "theirs")).toEqual([OK, 1]);
  expect([seen.get("ours"), seen.get("theirs")]).toEqual([[""], ["", "1"]]);
});

/** Where a wait would end at the deadline, our caller gets the cause at once, and grpc-js's the deadline later. */
test("a wait beyond the deadline ends our attempts with the error that is the cause", async () => {
  const { authority, outcomes, seen } = await start();
  outcomes.set("ours", [down, ok]);
  const transport = createTransport({
    protocol: "grpc",
    baseUrl: `http://${authority}`,
    serviceConfig: configOf({ initialBackoff: "100s", maxBackoff: "100s" }),
    defaultTimeoutMs: 10_000,
  });
  onTestFinished(() => transport.close());
  const called = createClient(TestService, transport).unary({}, { headers: { "x-call": "ours" } });
  await expect(called).rejects.toMatchObject({ code: Code.Unavailable });
  expect(seen.get("ours")).toEqual([""]);
});
