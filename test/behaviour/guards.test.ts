// All interceptors of the package in one server: who calls, how often, with what, in this order.
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BadRequestSchema, RetryInfoSchema } from "../../gen/google/rpc/error_details_pb.js";
import { apiKeys, jwt, rateLimit, validation } from "../../server/interceptors/index.js";
import { audience, Issuer, issuerName } from "../support/issuer.js";
import { failureOf } from "../support/outcome.js";
import { ruledService } from "../support/ruled-service.js";
import { calls, describeGuarded } from "./guarded.js";

/** A key for each protocol and kind of call, so that none is limited by the calls of another. */
const keys = Object.fromEntries(
  Array.from({ length: 100 }, (_, index) => [`client ${index}`, `${index}-0123456789abcdef`]),
);
const unused = Object.values(keys);

let issuer: Issuer;
let authorization: string;
beforeAll(async () => {
  issuer = await Issuer.start();
  authorization = `Bearer ${await issuer.sign()}`;
});
afterAll(() => issuer[Symbol.asyncDispose]());

describeGuarded(
  async () => [
    await jwt({ issuer: issuerName, audience, jwks: issuer.url }),
    apiKeys({ keys }),
    rateLimit({ points: 3, durationSeconds: 3600, key: "principal" }),
    await validation(),
  ],
  (open, guarded) => {
    test.each(Object.entries(calls))("a %s call has to pass all", async (_, call) => {
      using opened = open();
      const { client } = opened;
      const options = { headers: { authorization, "x-api-key": unused.pop() ?? "" } };
      await call(client, "good", options);
      // Without a token or a key, neither the limit nor the rules count.
      for (const headers of [{}, { authorization }]) {
        expect((await failureOf(call(client, "BAD", { headers }))).code).toBe(Code.Unauthenticated);
      }
      const invalid = await failureOf(call(client, "BAD", options));
      expect([invalid.code, invalid.findDetails(BadRequestSchema).length]).toEqual([Code.InvalidArgument, 1]);
      await call(client, "good", options);
      const text = "BAD, and too often";
      const refused = await failureOf(call(client, text, options));
      expect([refused.code, refused.findDetails(RetryInfoSchema).length]).toEqual([Code.ResourceExhausted, 1]);
      expect(refused.findDetails(BadRequestSchema)).toEqual([]);
      expect(guarded().target.seen.has(text)).toBe(false);
    });
  },
  { service: ruledService() },
);
