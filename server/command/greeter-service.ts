// The service that the command serves without a module: hello_world.Greeter.
import { descriptors } from "../../gen/hello_world_descriptors.js";
import { Greeter } from "../../gen/hello_world_pb.js";
import { greeter } from "../greeter.js";
import type { ServerOptions } from "../options.js";
import { version } from "../program/version.js";

/** Whether this is a dependency of some project, not a checkout. */
const isInstalled = import.meta.url.includes("/node_modules/");

/** How its TypeScript client is started. */
export const greeterClient: string = isInstalled ? "npx -p manywire manywire-client" : "npm run client --";

export const greeterService: ServerOptions = {
  routes: (router) => router.service(Greeter, greeter),
  docs: {
    title: "Greeter",
    version: version(),
    license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    descriptorSet: descriptors,
  },
};
