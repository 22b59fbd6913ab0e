// Serves the documents of the API over plain HTTP, by path.
import { descriptors as grpcDescriptors } from "../../gen/grpc/descriptors.js";
import type { Method } from "../call/method.js";
import { type Handler, respond } from "../http/exchange.js";
import { type Comments, readComments } from "../openapi/comments.js";
import { type Api, createOpenApi } from "../openapi/document.js";
import { type DocsOptions, type OperationKind, operationKinds } from "../openapi/options.js";
import type { OpenApiDocument } from "../openapi/types.js";
import { quote, shorten } from "../quote.js";
import { joinText, runAtOnce, runInSlices, type Work } from "../slices.js";
import { serveDocument } from "./documents.js";
import { jsonPieces } from "./json-text.js";
import { createPages, type Pages } from "./pages.js";
import { yamlPieces } from "./yaml-text.js";

/**
 * The documents of a server. They come last: a method, a probe, or a route of `google.api.http` with the path of a
 * document is what is served there. Each is made when it is first asked for.
 *
 * @param options false for no documents
 * @throws Error if the descriptor set is invalid
 */
export function createDocs(api: Api, options: DocsOptions | boolean): Pages {
  if (options === false) return new Map();
  const description = new Description(api, options);
  const pages = createPages(description);
  const serveOpenApi = (contentType: string, write: Write) => {
    const serveKind = (operations?: OperationKind) =>
      serveDocument(async () => ({
        contentType,
        body: await runInSlices(writeOpenApi(description.createOpenApi(operations), write)),
      }));
    return chooseOperations(serveKind(), new Map(operationKinds.map((kind) => [kind, serveKind(kind)])));
  };
  const documents = new Map([
    ["/openapi.json", serveOpenApi("application/json", toJson)],
    ["/openapi.yaml", serveOpenApi("application/yaml", toYaml)],
  ]);
  return { get: (path) => documents.get(path) ?? pages.get(path) };
}

type Write = (document: OpenApiDocument) => Iterable<string>;

/** Serves the document that the parameter `operations` of the query asks for: of one kind of operation, or the whole. */
function chooseOperations(whole: Handler, byKind: ReadonlyMap<string, Handler>): Handler {
  return (exchange) => {
    const given = new URLSearchParams(exchange.query).get("operations");
    const handler = given === null ? whole : byKind.get(given);
    if (handler !== undefined) return handler(exchange);
    const text = `operations: expected ${operationKinds.join(" or ")}, found ${shorten(given ?? "")}\n`;
    respond(exchange, 400, { "content-type": "text/plain; charset=utf-8" }, text);
  };
}

/** The API as a document of OpenAPI. */
export function describeApi(api: Api, options: DocsOptions | boolean): OpenApiDocument {
  return runAtOnce(new Description(api, options).createOpenApi());
}

/** A document as YAML 1.2, without anchors, so that every reader takes it. */
export function toYamlText(document: OpenApiDocument): string {
  return [...toYaml(document)].join("");
}

function* writeOpenApi(document: Work<OpenApiDocument>, write: Write): Work<string> {
  return yield* joinText(write(yield* document));
}

/** A part is one operation (`paths` → path → method) or one schema (`components` → `schemas` → name). */
const pieceDepth = 3;

function* toJson(document: OpenApiDocument): Generator<string> {
  yield* jsonPieces(document, pieceDepth);
  yield "\n";
}

function toYaml(document: OpenApiDocument): Generator<string> {
  return yamlPieces(document, pieceDepth);
}

/** The documents of one API. Options are checked at once; each document is made on first use. */
class Description {
  readonly services: Api["services"];
  readonly methods: readonly Method[];
  readonly bindings: Api["bindings"];
  readonly #api: Api;
  readonly #options: DocsOptions;
  #comments: Comments | undefined;

  constructor(api: Api, options: DocsOptions | boolean) {
    this.services = api.services;
    this.methods = [...api.methods.values()];
    this.bindings = api.bindings;
    this.#api = api;
    this.#options = typeof options === "object" ? options : {};
    checkOperations(this.#options);
    if (this.#options.descriptorSet !== undefined) this.#comments = this.#readComments();
  }

  get comments(): Comments {
    this.#comments ??= this.#readComments();
    return this.#comments;
  }

  #readComments(): Comments {
    try {
      return readComments([this.#options.descriptorSet ?? new Uint8Array(), grpcDescriptors]);
    } catch (cause) {
      const expected = "docs.descriptorSet: expected a serialised google.protobuf.FileDescriptorSet";
      throw new Error(`${expected}, found bytes that are none`, { cause });
    }
  }

  /** Of the pages, which show the names of all services anyway. */
  get title(): string {
    return this.#options.title ?? "manywire";
  }

  get description(): string {
    return this.#options.description ?? "";
  }

  /** @param kind the only kind of operation to show; otherwise those of the options */
  createOpenApi(kind?: OperationKind): Work<OpenApiDocument> {
    const options = kind === undefined ? this.#options : { ...this.#options, operations: [kind] };
    return createOpenApi(this.#api, options, this.comments);
  }
}

/** @throws RangeError that names the option */
function checkOperations({ operations = [] }: DocsOptions): void {
  const wrong = operations.find((kind) => !operationKinds.includes(kind));
  if (wrong === undefined) return;
  throw new RangeError(`docs.operations: expected ${operationKinds.join(" or ")}, found ${quote(String(wrong))}`);
}
