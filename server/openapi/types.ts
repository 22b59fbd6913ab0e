// The parts of an OpenAPI document as plain data (https://spec.openapis.org/oas/v3.1.1.html), as far as they are made here.

/** A JSON Schema of 2020-12. */
export type Schema = Readonly<Record<string, unknown>>;

/** Where a schema, parameter or response stands among the components. */
export type Reference = { readonly $ref: string };

/** What bodies look like, by media type. */
export type Content = Readonly<Record<string, { readonly schema: Schema; readonly example?: unknown }>>;

/** A header of a response. */
export interface Header {
  readonly description?: string;
  readonly schema: Schema;
}

/** One parameter of an operation. One in the path is always required. */
export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly deprecated?: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

/** What comes back. */
export interface Response {
  readonly description: string;
  readonly headers?: Readonly<Record<string, Header>>;
  readonly content?: Content;
}

/** One way to call one method. */
export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly deprecated?: boolean;
  readonly externalDocs?: ExternalDocs;
  /** Replaces that of the document. */
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly (Parameter | Reference)[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, Response | Reference>>;
}

/** Where there is more to read. */
export interface ExternalDocs {
  readonly url: string;
  readonly description?: string;
}

/** A heading for operations. */
export interface Tag {
  readonly name: string;
  readonly description?: string;
  readonly externalDocs?: ExternalDocs;
}

/** Where the API is served. */
export interface ApiServer {
  readonly url: string;
  readonly description?: string;
}

/** Operations by HTTP method in small letters; those that OpenAPI has no name for are in `x-additionalOperations`. */
export type PathItem = Readonly<Record<string, Operation | Readonly<Record<string, Operation>>>>;

/** What the API is. */
export interface Info {
  readonly title: string;
  readonly version: string;
  readonly description?: string;
  readonly termsOfService?: string;
  readonly contact?: { readonly name?: string; readonly url?: string; readonly email?: string };
  readonly license?: { readonly name: string; readonly identifier?: string; readonly url?: string };
}

/** A whole document. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: Info;
  readonly servers: readonly ApiServer[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly tags: readonly Tag[];
  readonly externalDocs?: ExternalDocs;
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}
