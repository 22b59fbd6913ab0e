import { Code } from "@connectrpc/connect";
import { createWritableIterable } from "@connectrpc/connect/protocol";
import { expect } from "vitest";
import { collect, each } from "../support/outcome.js";
import type { Exception } from "./combinations.js";
import { describeBehaviours } from "./table.js";

const bidi: Exception[] = [
  {
    httpVersion: "1.1",
    reason: "a client of HTTP/1.1 does not read before it has written all; the server answers 505",
  },
];

const texts = (replies: { text: string }[]) => replies.map(({ text }) => text);

describeBehaviours({}, [
  {
    title: "replies of a server stream come in their order",
    async run({ client, text }) {
      const replies = await collect(client.serverStream({ text, count: 200 }));
      expect(replies.map(({ index }) => index)).toEqual(Array.from({ length: 200 }, (_, index) => index));
      expect(new Set(texts(replies))).toEqual(new Set([text]));
    },
  },
  {
    title: "a server stream may be empty",
    async run({ client, text }) {
      expect(await collect(client.serverStream({ text, count: 0 }))).toEqual([]);
    },
  },
  {
    title: "a reply is sent at once, without waiting for the next",
    async run({ client, server, text }) {
      const gate = server.seen.hold(text, 1);
      const replies = client.serverStream({ text, count: 2 })[Symbol.asyncIterator]();
      expect((await replies.next()).value?.index).toBe(0);
      expect(server.seen.hasEnded(text)).toBe(false);
      gate.open();
      expect((await replies.next()).value?.index).toBe(1);
      expect((await replies.next()).done).toBe(true);
    },
  },
  {
    title: "a server stream of more than windows and buffers hold arrives whole",
    async run({ client, text }) {
      const replies = await collect(client.serverStream({ text, count: 12, replyBytes: 50_000 }));
      expect(replies.map(({ data }) => data.length)).toEqual(Array(12).fill(50_000));
    },
  },
  {
    title: "a client stream gets one response, after its end",
    async run({ client, text }) {
      const reply = await client.clientStream(each({ text }, { text: "b" }, { text: "c" }));
      expect(reply).toMatchObject({ text: `${text},b,c`, index: 3 });
    },
  },
  {
    title: "a client stream may be empty",
    async run({ client }) {
      expect(await client.clientStream(each())).toMatchObject({ text: "", index: 0 });
    },
  },
  {
    title: "requests of a client stream reach the handler as they come",
    async run({ client, server, text }) {
      const requests = createWritableIterable<{ text: string }>();
      const answer = client.clientStream(requests);
      await requests.write({ text });
      await server.seen.started(text);
      await requests.write({ text: "more" });
      requests.close();
      expect((await answer).text).toBe(`${text},more`);
    },
  },
  {
    title: "a client stream of more than windows and buffers hold arrives whole",
    async run({ client }) {
      const requests = Array.from({ length: 12 }, (_, index) => ({ text: `${index}`, data: new Uint8Array(50_000) }));
      const reply = await client.clientStream(each(...requests));
      expect(reply).toMatchObject({ text: "0,1,2,3,4,5,6,7,8,9,10,11", index: 12 });
    },
  },
  {
    title: "each request of a bidirectional stream gets a response before the next is sent",
    except: bidi,
    async run({ client, text }) {
      const requests = createWritableIterable<{ text: string }>();
      const replies = client.bidiStream(requests)[Symbol.asyncIterator]();
      for (let index = 0; index < 5; index++) {
        await requests.write({ text: `${text} ${index}` });
        expect((await replies.next()).value).toMatchObject({ text: `${text} ${index}`, index });
      }
      requests.close();
      expect((await replies.next()).done).toBe(true);
    },
  },
  {
    title: "a bidirectional stream may be empty in both directions",
    except: bidi,
    async run({ client }) {
      expect(await collect(client.bidiStream(each()))).toEqual([]);
    },
  },
  {
    title: "a bidirectional stream may be sent whole before it is read",
    except: bidi,
    async run({ prepare, send, read, text }) {
      const answer = await send(prepare("bidiStream", [{ text }, { text: "b" }]));
      expect(texts(read("bidiStream", answer).replies)).toEqual([text, "b"]);
    },
  },
  {
    title: "a bidirectional stream over HTTP/1.1 is refused with 505, and the connection is closed",
    except: [{ httpVersion: "2", reason: "there it is served" }],
    async run({ prepare, send, text }) {
      const { status, headers, text: body } = await send(prepare("bidiStream", [{ text }]));
      expect([status, headers.connection]).toEqual([505, "close"]);
      expect(body).toContain("/manywire.test.v1.TestService/BidiStream: bidirectional streams need HTTP/2");
    },
  },
  {
    title: "a server stream without a request is unimplemented, and so is one with two",
    async run({ prepare, send, read, text }) {
      const none = read("serverStream", await send(prepare("serverStream", [])));
      expect(none).toMatchObject({ replies: [], code: Code.Unimplemented });
      expect(none.message).toBe("protocol error: missing input message for server-streaming method");
      const two = read(
        "serverStream",
        await send(
          prepare("serverStream", [
            { text, count: 1 },
            { text, count: 1 },
          ]),
        ),
      );
      expect(two).toMatchObject({ replies: [], code: Code.Unimplemented });
      expect(two.message).toBe("protocol error: received extra input message for server-streaming method");
    },
  },
  {
    title: "a unary call without a message is unimplemented, and so is one with two",
    except: [{ wire: "connect", reason: "the body is the message, and an empty one is an empty message or no JSON" }],
    async run({ prepare, send, read, text }) {
      const none = read("unary", await send(prepare("unary", [])));
      expect(none).toMatchObject({ replies: [], code: Code.Unimplemented });
      expect(none.message).toBe("protocol error: missing input message for unary method");
      const two = read("unary", await send(prepare("unary", [{ text }, { text }])));
      expect(two).toMatchObject({ replies: [], code: Code.Unimplemented });
      expect(two.message).toBe("protocol error: received extra input message for unary method");
    },
  },
  {
    title: "a request that ends with its head gets a response",
    async run({ prepare, begin, read, wire, codec }) {
      const { body: _, ...head } = prepare("unary", []);
      const request = await begin(head);
      request.body.end();
      const { code } = read("unary", await request.answer);
      // Nothing is an empty message to Connect's protobuf, no JSON, and no message at all to the others.
      const connectCode = codec === "json" ? Code.InvalidArgument : undefined;
      expect(code).toBe(wire === "connect" ? connectCode : Code.Unimplemented);
    },
  },
  {
    title: "a body that ends inside a message is an invalid argument",
    async run({ prepare, send, read, text }) {
      const { body, ...head } = prepare("clientStream", [{ text }]);
      const { code } = read("clientStream", await send({ ...head, body: body.subarray(0, body.length - 4) }));
      expect(code).toBe(Code.InvalidArgument);
    },
  },
  {
    title: "a message of invalid JSON is an invalid argument",
    except: [{ codec: "proto", reason: "the next" }],
    async run({ prepare, send, read }) {
      const { code } = read("unary", await send(prepare("unary", [Buffer.from("{nonsense")])));
      expect(code).toBe(Code.InvalidArgument);
    },
  },
  {
    title: "a message of invalid protobuf is an internal error in gRPC, and an invalid argument in Connect",
    except: [{ codec: "json", reason: "the one before" }],
    async run({ lane, wire, prepare, send, read }) {
      const { code } = read("unary", await send(prepare("unary", [Buffer.of(0xff, 0xff)])));
      const isConnects = wire === "connect" && lane === "fast";
      expect(code).toBe(isConnects ? Code.InvalidArgument : Code.Internal);
    },
  },
]);
