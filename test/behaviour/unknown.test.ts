import { Code } from "@connectrpc/connect";
import { expect } from "vitest";
import { failureOf } from "../support/outcome.js";
import { onlyOn } from "./combinations.js";
import { type Behaviour, describeBehaviours, type MethodName } from "./table.js";

const service = "manywire.test.v1.TestService";

const places: [what: string, path: string, message: string][] = [
  ["method", `/${service}/Nothing`, `service ${service} has no method Nothing`],
  ["service", "/manywire.test.v1.Nobody/Unary", "unknown service manywire.test.v1.Nobody"],
  ["service after two slashes", `//${service}/Unary`, `unknown service /${service}`],
];

function unknown(what: string, path: string, message: string, name: MethodName): Behaviour {
  return {
    title: `an unknown ${what}, called as ${name}, is unimplemented in the caller's own protocol`,
    async run({ prepare, send, read, wire, text }) {
      const answer = await send({ ...prepare(name, [{ text }]), path });
      expect(read(name, answer)).toMatchObject({ code: Code.Unimplemented, message, replies: [] });
      // A client that is no RPC client has to see that nothing is there.
      expect(answer.status).toBe(wire === "connect" && name === "unary" ? 404 : 200);
    },
  };
}

describeBehaviours({}, [
  ...places.flatMap(([what, path, message]) =>
    (["unary", "serverStream"] as const).map((name) => unknown(what, path, message, name)),
  ),
  {
    title: "a method that is not implemented is unimplemented",
    async run({ client }) {
      const { code, rawMessage } = await failureOf(client.missing({}));
      expect([code, rawMessage]).toEqual([Code.Unimplemented, `${service}.Missing is not implemented`]);
    },
  },
  {
    title: "an unknown path is a JSON 404 to a request that calls no method",
    except: [
      ...onlyOn("connect", "the request is of no protocol"),
      { codec: "proto", reason: "the request is of no codec" },
    ],
    async run({ send }) {
      const calls = [
        { method: "GET", path: "/nothing" },
        { method: "GET", path: "//items/x" },
        { method: "GET", path: "/manywire.test.v1.Nobody/Unary" },
        { method: "DELETE", path: `/${service}/Nothing` },
        { method: "POST", path: "/a/b/c", headers: { "content-type": "application/json" }, body: "{}" },
        { method: "POST", path: `/${service}/Unary/`, headers: { "content-type": "text/plain" }, body: "x" },
      ];
      for (const call of calls) {
        const { status, headers, text } = await send(call);
        expect([call.path, status, headers["content-type"]]).toEqual([call.path, 404, "application/json"]);
        expect(JSON.parse(text)).toEqual({ code: 5, message: `nothing is served at ${call.path}`, details: [] });
      }
    },
  },
]);
