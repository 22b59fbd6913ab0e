// Mutual TLS: the names of a client's certificate decide what it may call, over every protocol.
import { Code } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { mtls, principal } from "../../server/interceptors/index.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import {
  authority,
  clientsAuthority,
  hostileIdentity,
  type Identity,
  namelessIdentity,
  ordersIdentity,
  personIdentity,
  serverIdentity,
} from "../support/certificates.js";
import { failureOf } from "../support/outcome.js";
import { openWay, type Way, ways } from "../support/ways.js";
import { calls, kinds, refusalOf, startGuarded } from "./guarded.js";

const service = TestService.typeName;
const rules = [
  { methods: "*", uris: ["spiffe://prod.test/ns/shop/*"], dns: ["orders.prod.test"] },
  { methods: `${service}/ClientStream`, emails: ["alice@prod.test"] },
];
const tls = { ...serverIdentity, ca: clientsAuthority };
const open = (url: string, way: Way, identity: Identity | object) =>
  openWay(url, { ...way, tls: { ca: authority, ...identity } });
const refused = [Code.PermissionDenied, "the client's certificate does not allow to call this method", null];

describe.each(kinds)("%s", (kind) => {
  test.each(Object.entries(ways))("only clients with an allowed name may call over %s", async (_, way) => {
    await using guarded = await startGuarded(kind, [mtls({ rules })], { tls });
    const outcomes = async (identity: Identity) => {
      using opened = open(guarded.url, way, identity);
      const all = Object.values(calls).map((call) => call(opened.client, "a call"));
      return await Promise.all(all.map((call) => call.then(() => "ok", refusalOf)));
    };
    expect(await outcomes(ordersIdentity)).toEqual(["ok", "ok", refused]);
    expect(await outcomes(personIdentity)).toEqual([refused, refused, "ok"]);
    for (const identity of [hostileIdentity, namelessIdentity]) {
      expect(await outcomes(identity)).toEqual([refused, refused, refused]);
    }
  });
});

test.each(Object.entries(ways))("without client certificates no client may call over %s", async (_, way) => {
  await using guarded = await startGuarded("own", [mtls()], { tls: serverIdentity });
  using opened = open(guarded.url, way, ordersIdentity);
  const error = await failureOf(opened.client.unary({}));
  expect(refusalOf(error)).toEqual([Code.Unauthenticated, "client certificate missing", null]);
});

test.each([
  ["the allowed one", { rules }, ordersIdentity, "spiffe://prod.test/ns/shop/orders"],
  ["the first URI, DNS name or email address without a rule", {}, personIdentity, "alice@prod.test"],
])("a handler sees a name of the certificate: %s", async (_, options, identity, name) => {
  const implementation = {
    unary: (_: unknown, { values }: { values: { get: (key: typeof principal) => unknown } }) => ({
      text: JSON.stringify(values.get(principal)),
    }),
  };
  await using guarded = await startGuarded("own", [mtls(options)], { tls, implementation });
  using opened = open(guarded.url, { protocol: "grpc" }, identity);
  expect(JSON.parse((await opened.client.unary({})).text)).toEqual({ kind: "certificate", name });
});
