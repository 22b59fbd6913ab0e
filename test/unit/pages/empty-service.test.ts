// A service without methods, and one without implementations: reflection, health checks and pages know both.
import { createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTransport } from "../../../client/index.js";
import { Health, HealthCheckResponse_ServingStatus as Status } from "../../../gen/grpc/health/v1/health_pb.js";
import { ServerReflection } from "../../../gen/grpc/reflection/v1/reflection_pb.js";
import { createServer, type Server } from "../../../server/index.js";
import { request } from "../../support/http.js";
import { serviceOf } from "../../support/shelf.js";

let server: Server;

beforeAll(async () => {
  server = createServer({
    port: 0,
    routes: (router) => router.service(serviceOf("shelf.Empty"), {}).service(serviceOf("shelf.more.Loans"), {}),
  });
  await server.listen();
});

afterAll(() => server.close());

function transport() {
  return createTransport({ protocol: "grpc", baseUrl: server.url });
}

test.each(["shelf.Empty", "shelf.more.Loans"])("%s is known to health checks", async (service) => {
  using open = transport();
  const health = createClient(Health, open);
  expect((await health.check({ service })).status).toBe(Status.SERVING);
  for await (const { status } of health.watch({ service })) {
    expect(status).toBe(Status.SERVING);
    break;
  }
  expect(Object.keys((await health.list({})).statuses)).toContain(service);
});

test("both are known to reflection", async () => {
  using open = transport();
  const questions = [
    { case: "listServices", value: "" },
    { case: "fileContainingSymbol", value: "shelf.Empty" },
    { case: "fileContainingSymbol", value: "shelf.more.Loans" },
  ] as const;
  async function* requests() {
    for (const messageRequest of questions) yield { messageRequest };
  }
  const responses = [];
  for await (const { messageResponse } of createClient(ServerReflection, open).serverReflectionInfo(requests())) {
    responses.push(messageResponse);
  }
  const names = responses[0]?.case === "listServicesResponse" && responses[0].value.service.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(["shelf.Empty", "shelf.more.Loans"]));
  expect(responses.slice(1).map((response) => response.case)).toEqual(Array(2).fill("fileDescriptorResponse"));
});

test("both are on the pages and in the title of the OpenAPI document", async () => {
  const get = { method: "GET", path: "/" };
  const html = await request(server.url, { ...get, headers: { accept: "text/html" } });
  const text = await request(server.url, get);
  const { info } = JSON.parse((await request(server.url, { ...get, path: "/openapi.json" })).text);
  expect(html.text).toContain('<h2 id="shelf.Empty">');
  expect(html.text).toMatch(/id="shelf\.more\.Loans\.Lend"[^>]* open>/);
  expect(text.text).toMatch(/\n\nshelf\.Empty\n\nshelf\.more\.Loans\n\n {2}Lend\n/);
  expect(info.title).toBe("shelf.Empty, shelf.more.Loans");
});
