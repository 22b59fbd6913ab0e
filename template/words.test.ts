import assert from "node:assert/strict";
import { test } from "node:test";
import { createServer } from "manywire";
import { createClient, createTransport } from "manywire/client";
import { WordService } from "./gen/words/v1/words_pb.js";
import { routes } from "./words.js";

for (const protocol of ["grpc", "grpc-web", "connect", "rest"] as const) {
  test(`reverses a word over ${protocol}`, async () => {
    const server = createServer({ port: 0, routes });
    await server.listen();
    const transport = createTransport({ protocol, baseUrl: server.url });
    try {
      const { word } = await createClient(WordService, transport).reverse({ word: "wire" });
      assert.equal(word, "eriw");
    } finally {
      transport.close();
      await server.close();
    }
  });
}
