// grpc-gateway, made by its own generator from our proto and put in front of our server, gives the same REST responses as the
// server itself, but for the differences that are listed beside this file.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Code } from "@connectrpc/connect";
import { describe, expect, it, onTestFinished } from "vitest";
import { startTargetForTest, type TargetOptions, targets } from "../../support/foreign-target.js";
import { type RawAnswer, type RawRequest, request } from "../../support/http.js";
import { environmentFor } from "./foreign-tests.js";
import { differences, echo, get, post } from "./gateway-differences.js";
import { gateway } from "./go-programs.js";

/** The responses of the gateway and of the server itself to the same request. */
type Ask = (what: RawRequest) => Promise<{ theirs: RawAnswer; ours: RawAnswer }>;

async function start(options: TargetOptions): Promise<Ask> {
  const target = await startTargetForTest(options);
  const env = { ...process.env, ...environmentFor(target, options) };
  const child = spawn(gateway, { env, stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(async () => {
    const closed = once(child, "close");
    child.stdin.end();
    await closed;
  });
  const [url] = await once(createInterface(child.stdout), "line");
  return async (what) => {
    const [theirs, ours] = await Promise.all([url, target.url].map((one) => request(one, what)));
    return { theirs: theirs as RawAnswer, ours: ours as RawAnswer };
  };
}

const contentOf = ({ status, headers, text }: RawAnswer) => [status, headers["content-type"], JSON.parse(text)];

/** What is left of a response without the words of an error, and the details that name the field at fault. */
function withoutWords(answer: RawAnswer): unknown {
  const [status, type, { code, ...others }] = contentOf(answer);
  return [status, type, code, Object.keys(others)];
}

const withHeaders = (headers: Record<string, string>): RawRequest => {
  const plain = post('{"name":"you"}');
  return { ...plain, headers: { ...plain.headers, ...headers } };
};

/** Requests that call a method; also those that fail. */
const served: readonly RawRequest[] = [
  ...[
    ...['{"name":"you"}', "{}", "", '{"name":null}', ' \n{"name":"you"}\t', '{"name":""}'],
    ...['{"name":"you","more":1}', '{"NAME":"you"}', '{"name":"you","more":{"a":[1,null]}}'],
    ...['{"name":"päth 🙈"}', '{"name":"\\ud83d\\ude48 \\u0000"}', '{"name":"<a href=\\"x\\">&\u2028</a>"}'],
    JSON.stringify({ name: "a".repeat(1_000_000) }),
  ].map((body) => post(body)),
  { method: "POST", path: echo },
  ...["you", "y%20ou", "y+ou", "p%C3%A4th%F0%9F%99%88", "a:b", "a%3Ab", "a%25b", "%252F", "you;a=b", "you?"].map(
    (name) => get(`${echo}/${name}`),
  ),
  ...["..", ".", "%2e%2e", "%2E", "~", "!$&'()*,=@"].map((name) => get(`${echo}/${name}`)),
  get("/v1/ex%61mple/echo/you"),
  { ...post('{"name":"other"}', `${echo}/you`), method: "GET" },
  ...["application/json; charset=utf-8", "APPLICATION/JSON"].map((type) => withHeaders({ "content-type": type })),
  withHeaders({ accept: "application/xml" }),
  withHeaders({ "grpc-timeout": "5S" }),
  ...Object.values(Code)
    .filter((code) => typeof code === "number")
    .map((code) => withHeaders({ "x-fail": String(code) })),
  { ...get(`${echo}/you`), headers: { "x-fail": "5" } },
];

/** Requests that no method sees. */
const refused: readonly RawRequest[] = [
  ...[
    "null",
    "[]",
    '"x"',
    "5",
    '{"name":"you"',
    "{'name':'you'}",
    '{"name":"you",}',
    "{name:1}",
    '{"name":"a\nb"}',
  ].map((body) => post(body)),
  ...['{"name":5}', '{"name":["a"]}', '{"name":{}}', '{"name":true}', '{"name":"a","name":"b"}'].map((body) =>
    post(body),
  ),
  ...['{"name":"\\ud83d"}', Buffer.from('{"name":"\xff"}', "latin1")].map((body) => post(body)),
  ...["/nothing", "/v1", "/v1/example", "/V1/example/echo/you", "/v1//example/echo/you"].map((path) => get(path)),
  ...[`${echo}/a/b`, `${echo}/you/`, "/v1/example/./echo/you", "/v1/x/../example/echo/you"].map((path) => get(path)),
  post('{"name":"you"}', "/v1/nothing/at/all"),
  withHeaders({ "grpc-timeout": "soon" }),
];

describe.each(targets)("grpc-gateway, %s", (_, options) => {
  it("passes on every response of a method as we do", async () => {
    const ask = await start(options);
    for (const what of served) {
      const { theirs, ours } = await ask(what);
      expect([what, ...contentOf(ours)]).toEqual([what, ...contentOf(theirs)]);
    }
  });

  it("refuses what we refuse, in words of its own", async () => {
    const ask = await start(options);
    for (const what of refused) {
      const { theirs, ours } = await ask(what);
      expect([what, withoutWords(ours)]).toEqual([what, withoutWords(theirs)]);
    }
  });

  it.each(differences.map(({ name, reason, requests }) => [name, reason, requests] as const))(
    "differs from us in %s: %s",
    async (_name, _reason, requests) => {
      const ask = await start(options);
      for (const { gateway: gatewayStatus, ours: ourStatus, ...what } of requests) {
        const { theirs, ours } = await ask(what);
        expect([what, theirs.status, ours.status]).toEqual([what, gatewayStatus, ourStatus]);
      }
    },
  );

  it("differs from us in unset fields: ProtoJSON omits them by default", async () => {
    const { theirs, ours } = await (await start(options))(withHeaders({ "x-fail": "5 bare" }));
    const type = { "@type": "type.googleapis.com/google.rpc.ErrorInfo" };
    expect(contentOf(theirs)[2].details).toEqual([{ ...type, reason: "", domain: "", metadata: {} }]);
    expect(contentOf(ours)[2].details).toEqual([type]);
  });

  it("differs from us in the response to an invalid URL", async () => {
    const ask = await start(options);
    for (const path of [`${echo}/%`, `${echo}/%zz`]) {
      const { theirs, ours } = await ask(get(path));
      expect([theirs.status, theirs.headers["content-type"]]).toEqual([400, "text/plain; charset=utf-8"]);
      expect(contentOf(ours)).toEqual([
        400,
        "application/json",
        expect.objectContaining({ code: Code.InvalidArgument }),
      ]);
    }
  });
});
