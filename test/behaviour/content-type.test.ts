import { expect } from "vitest";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { type Exception, onlyOn } from "./combinations.js";
import { type Behaviour, describeBehaviours } from "./table.js";
import { contentType } from "./wire.js";

const understood: [name: string, change: (type: string) => string][] = [
  ["in capitals", (type) => type.toUpperCase()],
  [
    "in mixed case with a parameter",
    (type) => `${type.replace("application/", "Application/").replace("+p", "+P")}; foo=bar`,
  ],
  ["with a charset of UTF-8", (type) => `${type};charset=utf-8`],
  ["with a charset of UTF-8 in capitals and spaces", (type) => `${type} ; Charset = "UTF-8"`],
  ["with several parameters", (type) => `${type}; a=b; charset=utf8; c="d e"`],
];

const refused: [name: string, change: (type: string) => string | undefined][] = [
  ["with another charset", (type) => `${type};charset=latin1`],
  ["with another subtype", (type) => `${type}x`],
  ["of a form", () => "application/x-www-form-urlencoded"],
  ["of nothing", () => ""],
  ["at all", () => undefined],
];

const webNames: Exception[] = [
  { wire: "connect", reason: "its content types have no short form" },
  { codec: "json", reason: "the short form means protobuf" },
];

describeBehaviours({}, [
  ...(["unary", "serverStream"] as const).flatMap((name) => [
    ...understood.map(
      ([how, change]): Behaviour => ({
        title: `a content type ${how} is understood by ${name}`,
        async run({ prepare, send, read, wire, codec, text }) {
          const headers = { "content-type": change(contentType(wire, codec, TestService.method[name])) };
          const answer = await send(prepare(name, [{ text, count: 1 }], { headers }));
          expect(read(name, answer).replies).toMatchObject([{ text }]);
        },
      }),
    ),
    ...refused.map(
      ([how, change]): Behaviour => ({
        title: `a request without a content type that is known (one ${how}) is 415 to ${name}`,
        async run({ prepare, send, server, wire, codec, text }) {
          const { headers: _, ...request } = prepare(name, [{ text, count: 1 }]);
          const type = change(contentType(wire, codec, TestService.method[name]));
          const answer = await send({ ...request, headers: type === undefined ? {} : { "content-type": type } });
          expect(answer.status).toBe(415);
          expect(answer.text).toContain(`found ${type ?? "none"}`);
          expect(answer.headers["accept-post"]).toContain("application/grpc-web");
          expect(server.seen.has(text)).toBe(false);
        },
      }),
    ),
  ]),
  {
    title: "a content type without a codec means protobuf",
    except: webNames,
    async run({ prepare, send, read, wire, text }) {
      const answer = await send(prepare("unary", [{ text }], { headers: { "content-type": `application/${wire}` } }));
      expect(read("unary", answer).replies).toMatchObject([{ text }]);
    },
  },
  {
    title: "the content type of Connect's unary calls is 415 to a stream, and that of its streams to a unary call",
    except: onlyOn("connect", "all others have one content type for both"),
    async run({ prepare, send, codec }) {
      const unary = prepare("unary", [{}], { headers: { "content-type": `application/connect+${codec}` } });
      expect((await send(unary)).status).toBe(415);
      const stream = prepare("serverStream", [{}], { headers: { "content-type": `application/${codec}` } });
      expect((await send(stream)).status).toBe(415);
    },
  },
  {
    title: "another HTTP method than POST is 405, with what is allowed",
    async run({ prepare, send, server, text }) {
      for (const method of ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"]) {
        const { body: _, ...request } = prepare("unary", [{ text }]);
        const { status, headers } = await send({ ...request, method });
        expect([method, status, headers.allow]).toEqual([method, 405, "POST"]);
      }
      expect(server.seen.has(text)).toBe(false);
    },
  },
]);
