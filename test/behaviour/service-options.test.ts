import { Code, type ConnectRouterOptions } from "@connectrpc/connect";
import { expect } from "vitest";
import { Greeter } from "../../gen/hello_world_pb.js";
import type { ServerOptions } from "../../server/index.js";
import { failureOf } from "../support/outcome.js";
import type { Wire } from "./combinations.js";
import { type Behaviour, describeBehaviours } from "./table.js";

type Switch = "grpc" | "grpcWeb" | "connect";

const switches: Record<Wire, Switch> = {
  grpc: "grpc",
  "grpc-web": "grpcWeb",
  "grpc-web-text": "grpcWeb",
  connect: "connect",
};

const greeter: ServerOptions["routes"] = (router) =>
  router.service(Greeter, {
    sayHello: ({ name }) => ({ message: `Hello, ${name}!` }),
    sayHelloAgain: ({ name }) => ({ message: `Hello, ${name} Again!` }),
  });

/** Whether the protocol of the combination is served, for each protocol that is off. */
function servedUnless(off: Switch): Behaviour {
  return {
    title: `a service without ${off} rejects its calls with 415, and serves all others`,
    async run({ prepare, send, read, text, wire }) {
      const answer = await send(prepare("unary", [{ text }]));
      const isServed = switches[wire] !== off;
      expect([answer.status, isServed && read("unary", answer).replies[0]?.text]).toEqual(
        isServed ? [200, text] : [415, false],
      );
    },
  };
}

for (const off of ["grpc", "grpcWeb", "connect"] as const) {
  const places: { server?: ConnectRouterOptions; service?: ConnectRouterOptions }[] = [
    { server: { [off]: false } },
    { service: { [off]: false } },
    // What the server switches off, no service switches on.
    { server: { [off]: false }, service: { [off]: true } },
  ];
  for (const { server, service } of places) {
    describeBehaviours({ ...server, ...(service && { serviceOptions: service }) }, [servedUnless(off)]);
  }
}

describeBehaviours({ serviceOptions: { grpc: false, grpcWeb: false, connect: true }, routes: greeter }, [
  {
    title: "a protocol that one service is without is there for others",
    async run({ prepare, send }) {
      // An empty request is the same for both services.
      const { status } = await send({ ...prepare("unary", [{}]), path: "/hello_world.Greeter/SayHello" });
      expect(status).toBe(200);
    },
  },
]);

describeBehaviours({ readMaxBytes: 100, serviceOptions: { readMaxBytes: 1000 } }, [
  {
    title: "a service's limit takes the place of the server's",
    async run({ client }) {
      expect((await client.unary({ text: "x".repeat(500) })).text.length).toBe(500);
      const { code } = await failureOf(client.unary({ text: "x".repeat(2000) }));
      expect(code).toBe(Code.ResourceExhausted);
    },
  },
]);

describeBehaviours({ requireConnectProtocolHeader: true }, [
  {
    title: "a Connect call that does not name its version is an invalid argument, if the server asks for it",
    async run({ prepare, send, read, wire, text }) {
      for (const name of ["unary", "serverStream"] as const) {
        const { code } = read(name, await send(prepare(name, [{ text }])));
        expect([name, code]).toEqual([name, wire === "connect" ? Code.InvalidArgument : undefined]);
        const headers = { "connect-protocol-version": "1" };
        expect(read(name, await send(prepare(name, [{ text }], { headers }))).code).toBeUndefined();
      }
    },
  },
]);
