// What the tests of documents share: documents of the test services.
import type { DescService } from "@bufbuild/protobuf";
import { createServer, type ServerOptions } from "../../../server/index.js";
import type { OpenApiDocument, Operation, Schema } from "../../../server/openapi/types.js";
import { descriptors } from "../../gen/manywire/descriptors.js";

/** The document of a server with services without handlers. */
export function documentOf(services: readonly DescService[], options: Partial<ServerOptions> = {}): OpenApiDocument {
  const { docs = {}, ...others } = options;
  const server = createServer({
    ...others,
    docs: typeof docs === "object" ? { descriptorSet: descriptors, ...docs } : docs,
    routes: (router) => {
      for (const service of services) router.service(service, {});
    },
  });
  return JSON.parse(JSON.stringify(server.openApi()));
}

/** Its operation `post /v1/whole`. */
export function operationOf(document: OpenApiDocument, place: string): Operation {
  const [httpMethod = "", path = ""] = place.split(" ");
  const operation = document.paths[path]?.[httpMethod] as Operation | undefined;
  if (operation === undefined) throw new Error(`there is no ${place} among ${Object.keys(document.paths).join(", ")}`);
  return operation;
}

/** The schema of a type, by its full name. */
export function schemaOf(document: OpenApiDocument, name: string): Schema & { properties: Record<string, Schema> } {
  const schema = document.components.schemas?.[name];
  if (schema === undefined) throw new Error(`there is no schema ${name}`);
  return schema as Schema & { properties: Record<string, Schema> };
}
