import { expect } from "vitest";
import { describeBehaviours } from "./table.js";

const bytes = (length: number) => Uint8Array.from({ length }, (_, index) => index % 251);

describeBehaviours({}, [
  {
    title: "a message comes back as it went",
    async run({ client, text }) {
      const request = { text: `${text} Grüße 你好 🎉`, data: bytes(256) };
      expect(await client.unary(request)).toMatchObject({ ...request, index: 0 });
    },
  },
  {
    title: "an empty request gets an empty response",
    async run({ client }) {
      expect(await client.unary({})).toMatchObject({ text: "", data: new Uint8Array(), index: 0 });
    },
  },
  {
    title: "a handler may respond later",
    async run({ client, text }) {
      expect((await client.unary({ text, waitMs: 2 })).text).toBe(text);
    },
  },
  {
    title: "a message of many chunks comes back whole",
    async run({ client }) {
      const { data } = await client.unary({ data: bytes(300_000) });
      expect(Buffer.compare(data, bytes(300_000))).toBe(0);
    },
  },
  {
    title: "a call is not held up by another that takes longer",
    async run({ client, server, text }) {
      const gate = server.seen.hold(text);
      const held = client.unary({ text });
      await server.seen.started(text);
      expect((await client.unary({ text: `${text}, the quick` })).text).toBe(`${text}, the quick`);
      expect(server.seen.hasEnded(text)).toBe(false);
      gate.open();
      expect((await held).text).toBe(text);
    },
  },
  {
    title: "one connection carries call after call",
    async run({ client, server, text }) {
      const ports = () => [...server.sockets].map(({ remotePort }) => remotePort);
      await client.unary({ text });
      const before = ports();
      for (let index = 0; index < 5; index++) expect((await client.unary({ text: `${index}` })).text).toBe(`${index}`);
      expect(ports()).toEqual(before);
    },
  },
  {
    title: "a method without side effects accepts POST, too",
    async run({ client, text }) {
      expect((await client.get({ text })).text).toBe(text);
    },
  },
  {
    title: "a body that comes byte by byte is one message",
    async run({ prepare, send, read, text }) {
      const { body, ...head } = prepare("unary", [{ text }]);
      const answer = await send({ ...head, body: [...body].map((byte) => Buffer.of(byte)) });
      expect(read("unary", answer).replies).toMatchObject([{ text }]);
    },
  },
]);
