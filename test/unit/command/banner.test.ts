import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Greeter } from "../../../gen/hello_world_pb.js";
import { formatBanner, listExamples, type Served } from "../../../server/command/banner.js";
import { describeTls } from "../../../server/command/certificates.js";
import { greeterService } from "../../../server/command/greeter-service.js";
import type { UpstreamState } from "../../../server/live-surface.js";
import type { ServerOptions } from "../../../server/options.js";
import { describeFirstMethod } from "../../../server/pages/first-method.js";
import { createServerAndApi } from "../../../server/server.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { authority, serverIdentity } from "../../support/certificates.js";

const client = "npm run client --";
const describeService = (options: Partial<ServerOptions>) =>
  describeFirstMethod(createServerAndApi({ ...greeterService, ...options }).api());
const plaintext: Served = { url: "http://127.0.0.1:50051", client, hasPage: true, ...describeService({}) };
const files = { cert: "server.pem", key: "key.pem", clientCa: undefined };
const selfSigned = readFileSync(new URL("../../support/certificates/localhost-cert.pem", import.meta.url));

const lines = (served: Partial<Served>) => listExamples({ ...plaintext, ...served }).map(({ line }) => line);
const data = `'{"name":"name"}'`;
const json = `-H 'content-type: application/json' -d ${data}`;
const method = "hello_world.Greeter/SayHello";
const query = "?connect=v1&encoding=json&message=%7B%22name%22%3A%22name%22%7D";

describe("the calls to try", () => {
  it("are one for each kind of caller", () => {
    expect(listExamples(plaintext)).toEqual([
      { caller: "gRPC", line: `grpcurl -plaintext -d ${data} 127.0.0.1:50051 ${method}` },
      {
        caller: "gRPC-Web",
        line: `buf curl --protocol grpcweb --http2-prior-knowledge -d ${data} http://127.0.0.1:50051/${method}`,
      },
      { caller: "Connect", line: `curl ${json} http://127.0.0.1:50051/${method}` },
      { caller: "Connect GET", line: `curl 'http://127.0.0.1:50051/${method}${query}'` },
      { caller: "REST", line: `curl ${json} http://127.0.0.1:50051/v1/example/echo` },
      { caller: "TypeScript", line: "npm run client -- --url http://127.0.0.1:50051" },
      { caller: "page", line: "http://127.0.0.1:50051/" },
    ]);
  });

  it("omit those that need reflection if it is off", () => {
    const served = { ...plaintext, ...describeService({ reflection: false }) };
    expect(listExamples(served).map(({ caller }) => caller)).toEqual([
      "Connect",
      "Connect GET",
      "REST",
      "TypeScript",
      "page",
    ]);
  });

  it.each<[string, Partial<Served>, string[]]>([
    ["a page that is off", { hasPage: false }, ["gRPC", "gRPC-Web", "Connect", "Connect GET", "REST", "TypeScript"]],
    ["another service", { client: undefined }, ["gRPC", "gRPC-Web", "Connect", "Connect GET", "REST", "page"]],
    [
      "one protocol",
      describeService({ grpc: false, grpcWeb: false }),
      ["Connect", "Connect GET", "REST", "TypeScript", "page"],
    ],
    [
      "no route",
      describeService({ rest: { withoutRoutes: ["*"] } }),
      ["gRPC", "gRPC-Web", "Connect", "Connect GET", "TypeScript", "page"],
    ],
    [
      "streams only",
      describeService({ routes: (router) => router.rpc(TestService.method.serverStream, async function* () {}) }),
      ["gRPC", "gRPC-Web", "TypeScript", "page"],
    ],
    ["no service", describeService({ routes: () => {} }), ["page"]],
  ])("are those that are possible with %s", (_, served, callers) => {
    expect(listExamples({ ...plaintext, ...served }).map(({ caller }) => caller)).toEqual(callers);
  });

  it("are of a method with a route where there is one", () => {
    const routes: ServerOptions["routes"] = (router) =>
      router.rpc(TestService.method.unary, () => ({})).service(Greeter, {});
    expect(describeService({ routes })).toMatchObject({
      services: ["manywire.test.v1.TestService", "hello_world.Greeter"],
      method: { name: "SayHello" },
      hasGet: true,
    });
  });

  it.each([
    ["http://[::]:50051", "localhost:50051"],
    ["http://0.0.0.0:50051", "localhost:50051"],
    ["http://[::1]:50051", "'[::1]:50051'"],
    ["http://192.0.2.1:80", "192.0.2.1:80"],
  ])("of a server at %s go to %s", (url, target) => {
    expect(lines({ url })[0]).toBe(`grpcurl -plaintext -d ${data} ${target} ${method}`);
  });

  it("name a Unix socket to each tool in its own way", () => {
    expect(lines({ url: "unix:/run/a b.sock" })).toEqual([
      `grpcurl -plaintext -d ${data} 'unix:/run/a b.sock' ${method}`,
      `buf curl --protocol grpcweb --http2-prior-knowledge --unix-socket '/run/a b.sock' -d ${data} http://localhost/${method}`,
      `curl --unix-socket '/run/a b.sock' ${json} http://localhost/${method}`,
      `curl --unix-socket '/run/a b.sock' 'http://localhost/${method}${query}'`,
      `curl --unix-socket '/run/a b.sock' ${json} http://localhost/v1/example/echo`,
      "npm run client -- --url 'unix:/run/a b.sock'",
    ]);
  });

  it("trust a certificate that is its own authority", () => {
    const tls = describeTls({ cert: selfSigned, key: "" }, files);
    expect(lines({ url: "https://127.0.0.1:443", tls })).toEqual([
      `grpcurl -cacert server.pem -d ${data} 127.0.0.1:443 ${method}`,
      `buf curl --protocol grpcweb --cacert server.pem -d ${data} https://127.0.0.1/${method}`,
      `curl --cacert server.pem ${json} https://127.0.0.1/${method}`,
      `curl --cacert server.pem 'https://127.0.0.1/${method}${query}'`,
      `curl --cacert server.pem ${json} https://127.0.0.1/v1/example/echo`,
      "npm run client -- --tls-ca server.pem --url https://127.0.0.1",
      "https://127.0.0.1/",
    ]);
  });

  it("trust the authority of the clients where it signed the server too, and show a certificate to it", () => {
    const tls = describeTls({ ...serverIdentity, ca: authority }, { ...files, clientCa: "it's.pem" });
    const trust = `'it'\\''s.pem'`;
    expect(lines({ url: "https://[::1]:50051", tls }).slice(0, 2)).toEqual([
      `grpcurl -cacert ${trust} -cert client.pem -key client-key.pem -d ${data} '[::1]:50051' ${method}`,
      `buf curl --protocol grpcweb --cacert ${trust} --cert client.pem --key client-key.pem -d ${data} 'https://[::1]:50051/${method}'`,
    ]);
  });

  it("trust no name where an unknown authority signed the certificate", () => {
    const tls = describeTls(serverIdentity, files);
    expect(lines({ url: "https://127.0.0.1:50051", tls })[3]).toBe(`curl 'https://127.0.0.1:50051/${method}${query}'`);
  });

  it("go to a name that the certificate has", () => {
    // Its names are localhost, 127.0.0.1 and ::1, but not the whole of 127.0.0.0/8.
    const tls = { certificate: new X509Certificate(serverIdentity.cert), authority: undefined, isMutual: false };
    expect(lines({ url: "https://127.0.0.9:50051", tls })[3]).toContain("'https://localhost:50051/");
    expect(lines({ url: "https://192.0.2.1:50051", tls })[3]).toContain("'https://192.0.2.1:50051/");
  });
});

it("the banner says where, and puts the calls below each other", () => {
  const [first, empty, ...rest] = formatBanner("1.2.3", plaintext).split("\n");
  expect(first).toBe("manywire 1.2.3 serves hello_world.Greeter on http://127.0.0.1:50051");
  expect(empty).toBe("");
  expect(rest.slice(0, 7).map((line) => line.slice(0, 18))).toEqual([
    "  gRPC         grp",
    "  gRPC-Web     buf",
    "  Connect      cur",
    "  Connect GET  cur",
    "  REST         cur",
    "  TypeScript   npm",
    "  page         htt",
  ]);
  expect(rest.slice(7)).toEqual([
    "",
    "  Only this machine can connect. In a container, or for other machines: --host ::",
    "",
    "",
  ]);
});

describe("upstreams in the banner", () => {
  const upstream = { url: "a:1", services: ["a.A"], routes: 1, repairs: [], unserved: [], problem: undefined };
  const linesOf = (...upstreams: UpstreamState[]) => {
    const text = formatBanner("1.2.3", { ...plaintext, upstreams });
    return text.slice(text.indexOf("  From upstreams:\n")).split("\n").slice(1, -4);
  };

  it("have a line each, with what comes from them", () => {
    const lines = linesOf(
      upstream,
      { ...upstream, url: "https://b", services: ["b.B", "b.C", "b.D", "b.E"], routes: 12 },
      { ...upstream, url: "c:1", services: [], problem: "c:1: no connection" },
    );
    expect(lines).toEqual([
      "  a:1        a.A, 1 REST route",
      "  https://b  b.B, b.C, b.D and 1 more, 12 REST routes",
      "  c:1        c:1: no connection",
    ]);
  });

  it("have what is wrong with their schemas below, as far as it is short", () => {
    const repairs = ["a.proto: one", "b.proto: two", "c.proto: three", "d.proto: four", "e.proto: five"];
    expect(linesOf({ ...upstream, repairs, unserved: ["a.B: broken"] }).slice(1)).toEqual([
      "    not served: a.B: broken",
      "    repaired: a.proto: one",
      "    repaired: b.proto: two",
      "    repaired: c.proto: three",
      "    repaired: 2 more, in the log",
    ]);
  });

  it("send no control characters to the terminal", () => {
    const lines = linesOf({ ...upstream, services: ["a.\u001b[2J"], unserved: [`b\n\u0007${"c".repeat(200)}`] });
    expect(lines).toEqual(["  a:1  a.?[2J, 1 REST route", `    not served: b ?${"c".repeat(97)}…`]);
  });
});

it.each([
  ["http://[::1]:50051", true],
  ["https://localhost:50051", true],
  ["http://[::]:50051", false],
  ["http://192.0.2.1:50051", false],
  ["unix:/run/a.sock", false],
])("the banner of %s says that only this machine can connect: %s", (url, isSaid) => {
  expect(formatBanner("1.2.3", { ...plaintext, url }).includes("--host ::")).toBe(isSaid);
});

it.each([
  [[], "no service"],
  [["a.A"], "a.A"],
  [["a.A", "b.B", "c.C", "d.D", "e.E"], "a.A, b.B, c.C and 2 more"],
])("the banner names the services %j", (services, names) => {
  expect(formatBanner("1.2.3", { ...plaintext, services })).toContain(`serves ${names} on http`);
});
