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
import { readApiOptions, readOperationOptions, readServiceTag } from "./gateway-options.js";
import { type JsonForm, MessageSchemas } from "./message-schema.js";
import { Names } from "./names.js";
import { type DocsOptions, type OperationKind, operationKinds } from "./options.js";
import { Paths } from "./paths.js";
import { withoutWildcards } from "./resource-names.js";
import { type OperationContext, restOperation } from "./rest-operation.js";
import type { Info, OpenApiDocument, Schema, Tag } from "./types.js";

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
  const own = readApiOptions(api.services.map(({ file }) => file));
  const draft: Draft = {
    components: new Components(),
    paths: new Paths(),
    names: new Names(api.services),
    tags: new Map([...own.tags, ...(options.tags ?? [])].map((tag) => [tag.name, tag])),
    comments,
  };
  const { components, paths, tags } = draft;
  const { operations = operationKinds } = options;
  if (operations.includes("rest")) yield* addRoutes(draft, api);
  if (operations.includes("connect")) yield* addMethods(draft, api);
  const schemas = yield* components.schemas();
  const { servers = [{ url: "." }], security = own.security } = options;
  const securitySchemes = { ...own.securitySchemes, ...options.securitySchemes };
  return {
    openapi: "3.1.1",
    info: infoOf(api, options, own.info, comments),
    servers,
    security,
    tags: [...tags.values()],
    ...(own.externalDocs && { externalDocs: own.externalDocs }),
    paths: paths.toObject(),
    components: { schemas, ...(Object.keys(securitySchemes).length === 0 ? {} : { securitySchemes }) },
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
    const { operationId: own, tags } = readOperationOptions(binding.method);
    const operationId = draft.names.operation(binding.method, "", own);
    const placed = restOperation(binding, operationId, context);
    // The path of an RPC is served before any route.
    if (!methods.has(placed.path)) {
      const ownTags = tags.length > 0 ? tags : [tagOf(draft, binding.method.parent, "rest")];
      draft.paths.add(placed, { operationId, tags: ownTags });
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
      const operationId = draft.names.operation(desc, suffix, readOperationOptions(desc).operationId);
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
  const own = readServiceTag(service);
  const name = names.tag(service, kind, own?.name);
  const text = own?.description ?? comments.get(service.typeName) ?? "";
  const description = [text, kindTexts[kind]].filter((part) => part !== "").join("\n\n");
  if (!tags.has(name)) tags.set(name, { ...own, name, description });
  return name;
}

/** What the API is called, and what it is. @param own what an option of a file says */
function infoOf({ services }: Api, options: DocsOptions, own: Partial<Info>, comments: Comments): Info {
  const names = services.map(({ typeName }) => typeName).join(", ");
  const { title = own.title ?? names, version = own.version ?? "0.0.0", license = own.license } = options;
  const comment = services.length === 1 ? comments.get(services[0]?.typeName ?? "") : undefined;
  const description = options.description ?? own.description ?? comment;
  return {
    ...own,
    title: title === "" ? "API" : title,
    version,
    ...(description === undefined ? {} : { description }),
    ...(license === undefined ? {} : { license }),
  };
}
