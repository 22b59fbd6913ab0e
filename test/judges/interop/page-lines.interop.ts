// The lines for grpcurl that the landing page has to copy are run as they stand.
import { delimiter, dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { Greeter } from "../../../gen/hello_world_pb.js";
import { createMethodTable } from "../../../server/call/table.js";
import { listLines } from "../../../server/pages/browser/lines.js";
import { describeServices } from "../../../server/pages/description.js";
import { toUniversalHandler } from "../../../server/reference/universal-handler.js";
import { runAtOnce } from "../../../server/slices.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { startTargetForTest } from "../../support/foreign-target.js";
import { outputOf } from "../../support/program.js";
import { grpcurl } from "./tools.js";

const table = createMethodTable({}, toUniversalHandler);
for (const service of [Greeter, TestService]) table.router.service(service as never, {});
const services = runAtOnce(describeServices(table.services, [...table.methods.values()], []));
const methods = services.flatMap((service) => service.methods);

describe("the page's line for grpcurl", () => {
  it.each([
    ["SayHello", [{ name: "Zoë's" }], [{ message: "Hello, Zoë's!" }]],
    ["ServerStream", [{ text: "a", count: 2 }], [{ text: "a" }, { text: "a", index: 1 }]],
    ["ClientStream", [{ text: "a" }, { text: "b" }], [{ text: "a,b", index: 2 }]],
    ["BidiStream", [{ text: "a" }, { text: "b" }], [{ text: "a" }, { text: "b", index: 1 }]],
  ])("gets the response of %s", async (name, messages, expected) => {
    const { url } = await startTargetForTest({ lane: "fast", security: "plaintext" });
    const found = methods.find(({ info }) => info.name === name);
    if (found === undefined) throw new Error(`there is no ${name}`);
    const method = { ...found.info, protoFile: undefined };
    const [line] = listLines({ method, route: undefined, base: url, messages, headers: { "x-a": "it's" } });
    const PATH = [dirname(grpcurl), process.env.PATH].join(delimiter);
    const output = await outputOf("sh", ["-c", line?.text ?? ""], { env: { ...process.env, PATH } });
    expect(JSON.parse(`[${output.replaceAll(/\}\s*\{/g, "},{")}]`)).toEqual(expected);
  });
});
