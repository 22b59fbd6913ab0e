// The documents that are judged, each with the server that it tells of.
import { createRegistry } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { descriptors as greeterDescriptors } from "../../../../gen/hello_world_descriptors.js";
import { Greeter } from "../../../../gen/hello_world_pb.js";
import { greeter } from "../../../../server/greeter.js";
import { createServer, type Server, type ServerOptions } from "../../../../server/index.js";
import { descriptors } from "../../../gen/manywire/descriptors.js";
import { LibraryService } from "../../../gen/manywire/test/describe/v1/library_pb.js";
import { NodeSchema } from "../../../gen/manywire/test/rest/v1/everything_pb.js";
import { RestService } from "../../../gen/manywire/test/rest/v1/rest_pb.js";
import { routeDepot } from "../../../support/depot.js";
import { echoing } from "../../../support/rest-service.js";

const license = { name: "Apache-2.0", identifier: "Apache-2.0" };
/** What a `google.protobuf.Any` may hold. */
const registry = createRegistry(NodeSchema, DurationSchema);

/** The test service of REST, whose methods echo their requests; a stream does so twice. */
function routeRest(router: ConnectRouter): void {
  router.service(RestService, {
    ...echoing,
    unrouted: (message) => message,
    async *serverStream(message) {
      yield message;
      yield message;
    },
  });
}

function routeLibrary(router: ConnectRouter): void {
  router.service(LibraryService, {
    createBook: ({ book }) => book ?? {},
    getBook: ({ name }) => ({ book: name }),
    updateBook: (book) => book,
    deleteBook: () => ({}),
    countBooks: () => ({ value: 3n }),
    listBooks: ({ filter }) => ({ next: filter?.word ?? "" }),
  });
}

const options: Record<string, ServerOptions> = {
  Greeter: {
    routes: (router) => router.service(Greeter, greeter),
    docs: { license, descriptorSet: greeterDescriptors },
  },
  RestService: {
    routes: routeRest,
    docs: { license, descriptorSet: descriptors },
    rest: { registry },
    jsonOptions: { registry },
  },
  LibraryService: { routes: routeLibrary, docs: { license, descriptorSet: descriptors } },
  DepotService: { routes: routeDepot, docs: { license, descriptorSet: descriptors } },
  "RestService in other forms": {
    routes: routeRest,
    docs: { license, descriptorSet: descriptors },
    rest: { registry, useProtoNames: true, enumsAsNumbers: true, errorShape: "google" },
    jsonOptions: { registry, alwaysEmitImplicit: true },
  },
};

/** Names of the servers. */
export const serverNames: readonly string[] = Object.keys(options);

/** A server on a free port. Call `listen` to start it. */
export function serverOf(name: string): Server {
  return createServer({ routes: () => {}, ...options[name], port: 0 });
}
