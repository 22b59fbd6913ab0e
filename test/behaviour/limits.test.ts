import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { createServer } from "../../server/index.js";
import { collect, each, failureOf } from "../support/outcome.js";
import { onlyOn } from "./combinations.js";
import { type Behaviour, describeBehaviours, type Scene } from "./table.js";
import { serialize } from "./wire.js";

const limitBytes = 1000;
const bare = onlyOn("connect", "the length of a message is in its envelope");

/** A request of exactly so many bytes. */
function requestOf({ codec }: Scene, bytes: number) {
  const overhead = serialize(codec, { text: "x".repeat(bytes) }).length - bytes;
  return { text: "x".repeat(bytes - overhead) };
}

async function expectUsable({ client, text }: Scene): Promise<void> {
  expect((await client.unary({ text })).text).toBe(text);
}

const tooLarge = (size: number | undefined) =>
  `message size${size === undefined ? "" : ` ${size}`} is larger than configured readMaxBytes ${limitBytes}`;

describeBehaviours({ readMaxBytes: limitBytes }, [
  {
    title: "a message of exactly the limit is taken",
    async run(scene) {
      const request = requestOf(scene, limitBytes);
      expect((await scene.client.unary(request)).text).toBe(request.text);
    },
  },
  {
    title: "a message of one byte more is too much, and the next call goes well",
    async run(scene) {
      const { code, rawMessage } = await failureOf(scene.client.unary(requestOf(scene, limitBytes + 1)));
      // Connect's client does not say the length of a unary body.
      const size = scene.wire === "connect" ? undefined : limitBytes + 1;
      expect([code, rawMessage]).toEqual([Code.ResourceExhausted, tooLarge(size)]);
      await expectUsable(scene);
    },
  },
  {
    title: "a message of unsaid length is read up to the limit",
    except: bare,
    async run(scene) {
      const { prepare, send, read } = scene;
      const { body, ...head } = prepare("unary", [requestOf(scene, limitBytes + 1)]);
      const { code, message } = read(
        "unary",
        await send({ ...head, body: [body.subarray(0, 500), body.subarray(500)] }),
      );
      expect([code, message]).toEqual([Code.ResourceExhausted, tooLarge(undefined)]);
      const { body: small, ...rest } = prepare("unary", [requestOf(scene, limitBytes)]);
      expect(read("unary", await send({ ...rest, body: [small] })).code).toBeUndefined();
    },
  },
  {
    title: "a message that is too large before it has arrived is refused at once",
    async run(scene) {
      const { prepare, begin, read, wire } = scene;
      const { body, ...head } = prepare("unary", [requestOf(scene, 2_000_000)]);
      const length = wire === "connect" ? { "content-length": body.length } : {};
      const request = await begin({ ...head, headers: { ...head.headers, ...length } });
      request.body.write(body.subarray(0, 100));
      expect(read("unary", await request.answer).code).toBe(Code.ResourceExhausted);
    },
  },
  {
    title: "a client that is still sending a message that is too large gets its response, and the next call goes well",
    async run(scene) {
      const { code } = await failureOf(scene.client.unary(requestOf(scene, 1_000_000)));
      expect(code).toBe(Code.ResourceExhausted);
      await expectUsable(scene);
    },
  },
  ...(["gzip", "br"] as const).map(
    (encoding): Behaviour => ({
      title: `a message that is too large after decompression with ${encoding} is too much`,
      async run(scene) {
        const { prepare, send, read } = scene;
        const request = prepare("unary", [requestOf(scene, 100_000)], { encoding });
        expect(request.body.length).toBeLessThan(limitBytes);
        const { code, message } = read("unary", await send(request));
        expect([code, message]).toEqual([
          Code.ResourceExhausted,
          `message is larger than configured readMaxBytes ${limitBytes} after decompression`,
        ]);
        await expectUsable(scene);
      },
    }),
  ),
  {
    title: "a stream ends with its first message that is too large",
    async run(scene) {
      const { client, server, text } = scene;
      const call = client.clientStream(each({ text }, requestOf(scene, limitBytes + 1), { text: "unread" }));
      expect(await failureOf(call)).toMatchObject({
        code: Code.ResourceExhausted,
        rawMessage: tooLarge(limitBytes + 1),
      });
      expect((await server.seen.ended(text)).kind).toBe("threw");
      await expectUsable(scene);
    },
  },
  {
    title: "a server stream refuses a request that is too large",
    async run(scene) {
      const { code } = await failureOf(collect(scene.client.serverStream(requestOf(scene, limitBytes + 1))));
      expect(code).toBe(Code.ResourceExhausted);
      await expectUsable(scene);
    },
  },
  {
    title: "an envelope that announces four gigabytes is refused without them",
    async run(scene) {
      const { prepare, begin, read } = scene;
      const { body: _, ...head } = prepare("serverStream", []);
      const request = await begin(head);
      const start = Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1]);
      request.body.write(scene.wire === "grpc-web-text" ? start.toString("base64") : start);
      expect(read("serverStream", await request.answer).code).toBe(Code.ResourceExhausted);
    },
  },
]);

describeBehaviours({ writeMaxBytes: limitBytes }, [
  {
    title: "a reply of more than the option writeMaxBytes is not sent",
    async run({ client, text }) {
      const unary = await failureOf(client.unary({ text, replyBytes: limitBytes + 1 }));
      expect(unary.code).toBe(Code.ResourceExhausted);
      const stream = await failureOf(collect(client.serverStream({ text, count: 1, replyBytes: limitBytes + 1 })));
      expect(stream.code).toBe(Code.ResourceExhausted);
    },
  },
]);

describeBehaviours({}, [
  {
    title: "the limit is 4 MiB by default",
    async run(scene) {
      const { prepare, begin, read, wire } = scene;
      const { body, ...head } = prepare("unary", [requestOf(scene, 4 * 1024 * 1024 + 1)]);
      const length = wire === "connect" ? { "content-length": body.length } : {};
      const request = await begin({ ...head, headers: { ...head.headers, ...length } });
      request.body.write(body.subarray(0, 100));
      const { code, message } = read("unary", await request.answer);
      expect(code).toBe(Code.ResourceExhausted);
      expect(message).toBe("message size 4194305 is larger than configured readMaxBytes 4194304");
    },
  },
]);

test.each([0, -1, 1.5, 2 ** 31, Number.NaN])("the option readMaxElements: %d stops the start", (readMaxElements) => {
  expect(() => createServer({ readMaxElements, routes: () => {} })).toThrow(
    new RangeError(`readMaxElements: expected a whole number from 1 to 2147483647, found ${readMaxElements}`),
  );
});
