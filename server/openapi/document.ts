// Turns the methods of a server and their routes into an OpenAPI document (https://spec.openapis.org/oas/v3.1.1.html):
// the very tables by which requests are served, so that the document cannot differ from them.
import type { DescService } from "@bufbuild/protobuf";
import type { Method } from "../call/method.js";
import type { ErrorShape } from "../rest/error/errors.js";
import type { DecodeOptions } from "../rest/read/request.js";
import type { EncodeOptions } from "../rest/response.js";
import type { Binding } from "../rest/route/binding.js";
import type { Work } from "../slices.js";
import type { Comments } from "./comments.js";
import { Components } from "./components.js";
import { connectOperations } from "./connect-operation.js";
import { connectErrorSchema, restErrorSchema } from "./errors.js";
import { type JsonForm, MessageSchemas } from "./message-schema.js";
import { Names } from "./names.js";
import type { DocsOptions, OperationKind } from "./options.js";
import { Paths } from "./paths.js";
import { withoutWildcards } from "./resource-names.js";
import { type OperationContext, restOperation } from "./rest-operation.js";
import type { OpenApiDocument, Schema, Tag } from "./types.js";

/** What a document describes. */
export interface Api {
  /** Every method, found by request path. */
  readonly methods: ReadonlyMap<string, Method>;
  /** The services of those methods. */
  readonly services: readonly DescService[];
  /** The routes of those methods. */
  readonly bindings: readonly Binding[];
  /** How replies and errors are written over those routes. */
  readonly rest: EncodeOptions & Pick<DecodeOptions, "patchMask"> & { readonly errorShape?: ErrorShape };
}

/** Makes the document, and pauses after each operation and schema. */
export function* createOpenApi(whole: Api, options: DocsOptions, texts: Comments): Work<OpenApiDocument> {
  const api = withoutBuiltIns(whole);
  const comments = new Map([...texts].map(([name, text]) => [name, withoutWildcards(text)]));
  const draft: Draft = {
    components: new Components(),
    paths: new Paths(),
    names: new Names(api.services),
    tags: new Map((options.tags ?? []).map((tag) => [tag.name, tag])),
    comments,
  };
  const { components, paths, tags } = draft;
  const { operations = ["rest", "connect"] } = options;
  if (operations.includes("rest")) yield* addRoutes(draft, api);
  if (operations.includes("connect")) yield* addMethods(draft, api);
  const schemas = yield* components.schemas();
  const { securitySchemes, servers = [{ url: "." }], security = [] } = options;
  return {
    openapi: "3.1.1",
    info: infoOf(api, options, comments),
    servers,
    security,
    tags: [...tags.values()],
    paths: paths.toObject(),
    components: { schemas, ...(securitySchemes === undefined ? {} : { securitySchemes }) },
  };
}

/** Health and reflection are for machines that know them. */
function withoutBuiltIns({ methods, services, bindings, rest }: Api): Api {
  const isOwn = ({ typeName }: DescService) => !typeName.startsWith("grpc.");
  return {
    methods: new Map([...methods].filter(([, { spec }]) => isOwn(spec.method.parent))),
    services: services.filter(isOwn),
    bindings: bindings.filter(({ method }) => isOwn(method.parent)),
    rest,
  };
}

/** A document in the making. */
interface Draft {
  readonly components: Components;
  readonly paths: Paths;
  readonly names: Names;
  readonly tags: Map<string, Tag>;
  readonly comments: Comments;
}

function* addRoutes(draft: Draft, { bindings, methods, rest }: Api): Work<void> {
  const form = {
    useProtoNames: rest.useProtoNames === true,
    enumsAsNumbers: rest.enumsAsNumbers === true,
  };
  const error = restErrorSchema(draft.components, rest.errorShape);
  const context = { ...contextOf(draft, form, error), hasPatchMask: rest.patchMask !== false };
  for (const binding of bindings) {
    yield;
    const operationId = draft.names.operation(binding.method);
    const placed = restOperation(binding, operationId, context);
    // The path of an RPC is served before any route.
    if (!methods.has(placed.path)) {
      draft.paths.add(placed, { operationId, tags: [tagOf(draft, binding.method.parent, "rest")] });
    }
  }
}

function* addMethods(draft: Draft, { methods }: Api): Work<void> {
  const error = connectErrorSchema(draft.components);
  for (const method of methods.values()) {
    yield;
    const { useProtoFieldName, enumAsInteger } = method.options.jsonOptions ?? {};
    const form = {
      useProtoNames: useProtoFieldName === true,
      enumsAsNumbers: enumAsInteger === true,
    };
    for (const placed of connectOperations(method, contextOf(draft, form, error))) {
      const { method: desc } = method.spec;
      const suffix = placed.httpMethod === "get" ? "_ConnectGet" : "_Connect";
      const operationId = draft.names.operation(desc, suffix);
      draft.paths.add(placed, { operationId, tags: [tagOf(draft, desc.parent, "connect")] });
    }
  }
}

function contextOf({ components, comments }: Draft, form: JsonForm, error: Schema): OperationContext {
  return {
    comments,
    input: new MessageSchemas(form, components, comments, true),
    output: new MessageSchemas(form, components, comments, false),
    error,
    hasPatchMask: false,
  };
}

const kindTexts: Readonly<Record<OperationKind, string>> = {
  rest: "By routes of `google.api.http`.",
  connect: "By the Connect protocol: the names of service and method are the path.",
};

/** The name of a tag, which is there from then on. */
function tagOf({ names, tags, comments }: Draft, service: DescService, kind: OperationKind): string {
  const name = names.tag(service, kind);
  const description = [comments.get(service.typeName) ?? [], kindTexts[kind]].flat().join("\n\n");
  if (!tags.has(name)) tags.set(name, { name, description });
  return name;
}

/** What the API is called, and what it is. */
function infoOf({ services }: Api, options: DocsOptions, comments: Comments): OpenApiDocument["info"] {
  const { title = services.map(({ typeName }) => typeName).join(", "), version = "0.0.0", license } = options;
  const description =
    options.description ?? (services.length === 1 ? comments.get(services[0]?.typeName ?? "") : undefined);
  return {
    title: title === "" ? "API" : title,
    version,
    ...(description === undefined ? {} : { description }),
    ...(license === undefined ? {} : { license }),
  };
}
