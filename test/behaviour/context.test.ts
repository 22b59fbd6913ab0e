import { Code, ConnectError, createContextKey, createContextValues } from "@connectrpc/connect";
import { expect } from "vitest";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { collect, each, failureOf } from "../support/outcome.js";
import { describeBehaviours } from "./table.js";

describeBehaviours({}, [
  {
    title: "a handler knows which call it serves",
    async run({ client, server, text, wire, security }) {
      await client.unary({ text });
      const { method, service, protocolName, requestMethod, url } = await server.seen.started(text);
      expect([method === TestService.method.unary, service === TestService, requestMethod]).toEqual([
        true,
        true,
        "POST",
      ]);
      expect(protocolName).toBe(wire === "grpc-web-text" ? "grpc-web" : wire);
      const scheme = security === "TLS" ? "https" : "http";
      expect(url).toBe(`${scheme}://127.0.0.1:${server.port}/manywire.test.v1.TestService/Unary`);
    },
  },
  {
    title: "a handler sees headers as the client sent them, and none that begins with a colon",
    async run({ prepare, send, server, text, wire }) {
      const request = prepare("unary", [{ text }], { headers: { "x-one": "1", "user-agent": "hand/1.0" } });
      await send(request);
      const { requestHeader } = await server.seen.started(text);
      expect([requestHeader.get("x-one"), requestHeader.get("user-agent")]).toEqual(["1", "hand/1.0"]);
      expect(requestHeader.get("content-type")).toBe(request.headers?.["content-type"]);
      expect([...requestHeader.keys()].filter((name) => name.startsWith(":"))).toEqual([]);
      expect(wire).toBeTypeOf("string");
    },
  },
  {
    title: "a call without a deadline has no time to count",
    async run({ client, server, text }) {
      await client.unary({ text });
      expect((await server.seen.started(text)).timeoutMs()).toBeUndefined();
    },
  },
  {
    title: "the signal is quiet during a call, and has fired after it",
    async run({ client, server, text }) {
      const finished = server.nextFinished("unary");
      const gate = server.seen.hold(text);
      const call = client.unary({ text });
      const { signal } = await server.seen.started(text);
      expect(signal.aborted).toBe(false);
      gate.open();
      await call;
      await finished;
      expect(signal.aborted).toBe(true);
    },
  },
  {
    title: "a signal that is asked for only after the call has fired",
    async run({ client, server, text }) {
      const finished = server.nextFinished("clientStream");
      await client.clientStream(each({ text }));
      await finished;
      expect((await server.seen.started(text)).signal.aborted).toBe(true);
    },
  },
  {
    title: "context values are empty, and belong to one call",
    async run({ client, server, text }) {
      const key = createContextKey("default");
      await client.unary({ text: `${text} a` });
      await collect(client.serverStream({ text: `${text} b` }));
      const a = await server.seen.started(`${text} a`);
      const b = await server.seen.started(`${text} b`);
      a.values.set(key, "of a");
      expect([a.values.get(key), b.values.get(key)]).toEqual(["of a", "default"]);
    },
  },
]);

const agent = createContextKey("nobody");

describeBehaviours(
  {
    contextValues: ({ headers }) => createContextValues().set(agent, headers["user-agent"] ?? ""),
    implementation: {
      unary: (_, { values }) => ({ text: values.get(agent) }),
      async *serverStream(_, { values }) {
        yield { text: values.get(agent) };
      },
    },
  },
  [
    {
      title: "context values are made from Node's request",
      async run({ prepare, send, read }) {
        for (const name of ["unary", "serverStream"] as const) {
          const answer = await send(prepare(name, [{}], { headers: { "user-agent": `hand/1.0 for ${name}` } }));
          const { code, replies } = read(name, answer);
          expect([code, replies[0]?.text]).toEqual([undefined, `hand/1.0 for ${name}`]);
        }
      },
    },
  ],
);

describeBehaviours(
  {
    contextValues: () => {
      throw new Error("secret");
    },
  },
  [
    {
      title:
        "context values that cannot be made end a call with an internal error, and the cause is told to the observer",
      async run({ client, server, text }) {
        for (const name of ["unary", "serverStream"] as const) {
          const finished = server.nextFinished(name);
          const call = name === "unary" ? client.unary({ text }) : collect(client.serverStream({ text }));
          expect(await failureOf(call)).toMatchObject({ code: Code.Internal, rawMessage: "internal error" });
          expect((await finished).error?.cause).toEqual(new Error("secret"));
        }
        expect(server.seen.has(text)).toBe(false);
      },
    },
  ],
);

const reports: unknown[] = [];
const rude = (signal: AbortSignal, text: string) => {
  const fail = () => {
    throw new Error(text);
  };
  signal.addEventListener("abort", fail);
  signal.addEventListener("abort", async () => fail());
  signal.addEventListener("abort", { handleEvent: fail });
  signal.onabort = fail;
  const removed = () => reports.push("removed");
  signal.addEventListener("abort", removed);
  signal.removeEventListener("abort", removed);
};

describeBehaviours(
  {
    onConnectionError: (error, step) => reports.push([error.message, step]),
    implementation: {
      unary({ text }, { signal }) {
        rude(signal, text);
        return { text };
      },
      async *serverStream({ text }, { signal }) {
        rude(signal, text);
        yield { text };
        throw new ConnectError("not here", Code.NotFound);
      },
    },
  },
  [
    {
      title: "a listener on the signal that throws or rejects is reported, and its call ends as it would without",
      async run({ client, text }) {
        const told = () => reports.filter((report) => Array.isArray(report) && report[0] === text).length;
        expect((await client.unary({ text })).text).toBe(text);
        await expect.poll(told).toBe(4);
        expect((await failureOf(collect(client.serverStream({ text })))).code).toBe(Code.NotFound);
        await expect.poll(told).toBe(8);
        expect(reports).toContainEqual([text, "abort listener"]);
        expect(reports).not.toContain("removed");
      },
    },
  ],
);
