import { readFileSync } from "node:fs";
import { runServer } from "manywire";
import { routes } from "./words.js";

await runServer({
  routes,
  // The comments of the protos, for the pages and for /openapi.json.
  docs: { title: "Words", descriptorSet: readFileSync(new URL("../gen/descriptors.binpb", import.meta.url)) },
});
