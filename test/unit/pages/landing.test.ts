import { describe, expect, it } from "vitest";
import { Greeter } from "../../../gen/hello_world_pb.js";
import { createMethodTable } from "../../../server/call/table.js";
import { describeServices } from "../../../server/pages/description.js";
import { landingPage, landingText } from "../../../server/pages/landing.js";
import { toUniversalHandler } from "../../../server/reference/universal-handler.js";
import { readRules } from "../../../server/rest/route/rules.js";
import { runAtOnce } from "../../../server/slices.js";
import { DepotService } from "../../gen/manywire/test/describe/v1/depot_pb.js";
import { LibraryService } from "../../gen/manywire/test/describe/v1/library_pb.js";
import { RestService } from "../../gen/manywire/test/rest/v1/rest_pb.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";

const hostile = `</p><script>alert("1")</script>'&`;
const escaped = "&lt;/p&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;";
const about = { title: "Words", description: "" };
const assets = { path: (name: string) => `docs/1/${name}` };

function describeAll(
  ...services: (
    | typeof Greeter
    | typeof RestService
    | typeof TestService
    | typeof LibraryService
    | typeof DepotService
  )[]
) {
  const table = createMethodTable({}, toUniversalHandler);
  for (const service of services) table.router.service(service as never, {});
  return runAtOnce(describeServices(table.services, [...table.methods.values()], readRules(services).bindings));
}

function page(comments = new Map<string, string>(), given = about, services = describeAll(Greeter)): string {
  return [...landingPage(given, services, comments, assets)].map(({ text }) => text).join("");
}

describe("the landing page", () => {
  it("tells services and methods with their comments", () => {
    const comments = new Map([
      ["hello_world.Greeter", "Greets people."],
      ["hello_world.Greeter.SayHello", "Says `hello`.\n\nOnce."],
      ["hello_world.HelloRequest.name", "Who it is."],
    ]);
    const text = page(comments);
    expect(text).toContain("<p>Greets people.</p>");
    expect(text).toContain("<p>Says <code>hello</code>.</p><p>Once.</p>");
    expect(text).toContain('<dt>name <span class="type">string</span></dt><dd><p>Who it is.</p></dd>');
    expect(text).toContain('<span class="route">GET /v1/example/echo/{name}</span>');
  });

  it.each([
    ["the comment of a service", "hello_world.Greeter"],
    ["the comment of a method", "hello_world.Greeter.SayHello"],
    ["the comment of a message", "hello_world.HelloRequest"],
    ["the comment of a field", "hello_world.HelloReply.message"],
  ])("escapes %s", (_, name) => {
    const text = page(new Map([[name, `${hostile} \`${hostile}\``]]));
    expect(text).toContain(`<p>${escaped} <code>${escaped}</code></p>`);
    expect(text).not.toContain(hostile);
  });

  it("escapes title and description", () => {
    const text = page(new Map(), { title: hostile, description: hostile });
    expect(text).toContain(`<title>${escaped}</title>`);
    expect(text).toContain(`<h1>${escaped}</h1>`);
    expect(text).toContain(`<p>${escaped}</p>`);
    expect(text).not.toContain(hostile);
  });

  it("escapes what its script reads", () => {
    const [described] = describeAll(Greeter);
    const [method] = described?.methods ?? [];
    if (described === undefined || method === undefined) throw new Error("the Greeter has no method");
    const info = { ...method.info, name: hostile };
    const text = page(new Map(), about, [{ ...described, methods: [{ ...method, info }] }]);
    expect(text).toContain(`"name":"&lt;/p&gt;&lt;script&gt;alert(\\"1\\")&lt;/script&gt;&#39;&amp;"`);
    expect(text).not.toContain("<script>");
  });

  it("has no script and no style of its own, and no address of another host", () => {
    const text = page(new Map(), about, describeAll(Greeter, RestService, TestService));
    expect(text).not.toMatch(
      /<style|\sstyle=|\son\w+=|<script(?! type="module" src="docs\/1\/landing\.js"><\/script>)/,
    );
    expect(text).not.toMatch(/(?:href|src)="(?:\/|\w+:)/);
  });

  it("has each type once, with what the schema demands of its fields", () => {
    const text = page(new Map(), about, describeAll(LibraryService, DepotService));
    const row = (name: string, type: string, ...notes: string[]) =>
      `<dt>${name} <span class="type">${type}</span>${notes.map((note) => ` <span class="badge">${note}</span>`).join("")}</dt>`;
    const part = '<a href="#manywire.test.describe.v1.Item.Part">Item.Part</a>';
    const state = '<a href="#manywire.test.describe.v1.Item.State">Item.State</a>';
    expect(text).toContain(row("shelf", "string", "required"));
    expect(text).toContain(row("createTime", "Timestamp", "output only"));
    expect(text).toContain(row("key", "string", "input only"));
    expect(text).toContain(row("serial", "int64", "oneof identity"));
    expect(text).toContain(row("sizes", "repeated float"));
    expect(text).toContain(row("parts", `map&lt;int32, ${part}&gt;`));
    expect(text).toContain(row("parts", `repeated ${part}`));
    expect(text).toContain(row("state", state));
    expect(text).toContain(row("STATE_SOLD", "2"));
    expect(text.split('id="manywire.test.describe.v1.Item.Part"')).toHaveLength(2);
    expect(page(new Map(), about, describeAll(RestService))).toContain(row("note", "string", "optional"));
  });

  it("has a list of its methods, where there are 15 or more", () => {
    const many = page(new Map(), about, describeAll(RestService, TestService));
    expect(many).toContain('<a href="#manywire.test.v1.TestService.Unary">Unary</a>');
    expect(page(new Map(), about, describeAll(RestService))).not.toContain("Search");
  });

  it("marks what is deprecated, and what streams", () => {
    const text = page(new Map(), about, describeAll(LibraryService, TestService));
    expect(text).toContain('<h3>DeleteBook</h3> <span class="badge">deprecated</span>');
    expect(text).toContain('<dt>isbn10 <span class="type">string</span> <span class="badge">deprecated</span></dt>');
    expect(text).toContain('<h3>BidiStream</h3><span class="badge">bidirectional stream</span>');
    expect(text).not.toContain('<h3>GetBook</h3> <span class="badge">deprecated');
  });

  it("gives each method an address of its own", () => {
    const text = page(new Map(), about, describeAll(Greeter, TestService));
    const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(ids).toContain("manywire.test.v1.TestService.Unary");
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("the page as text", () => {
  it("has a line for each kind of caller", () => {
    const comments = new Map([["hello_world.Greeter.SayHello", "Says hello."]]);
    const text = [...landingText(about, describeAll(Greeter), comments, "http://127.0.0.1:50051")].join("");
    expect(text.split("\n\n").slice(0, 4).join("\n\n")).toBe(`Words on http://127.0.0.1:50051

hello_world.Greeter

  SayHello
  Says hello.

    gRPC      grpcurl -plaintext -proto hello_world.proto -d '{"name":"name"}' 127.0.0.1:50051 hello_world.Greeter/SayHello
    REST      curl -H 'content-type: application/json' -d '{"name":"name"}' http://127.0.0.1:50051/v1/example/echo
    Connect   curl -H 'content-type: application/json' -d '{"name":"name"}' http://127.0.0.1:50051/hello_world.Greeter/SayHello
    gRPC-Web  buf curl --protocol grpcweb --http2-prior-knowledge --schema hello_world.proto -d '{"name":"name"}' http://127.0.0.1:50051/hello_world.Greeter/SayHello`);
  });
});
