// Reads the options of grpc-gateway's protoc-gen-openapiv2 (protoc-gen-openapiv2/options/openapiv2.proto): title, security,
// tags, and texts of operations. (Responses and schemas have files of their own.) They are extensions with the number 1042, read from the bytes of the descriptor, so that
// neither their proto nor its generated code is needed.
import type { DescFile, DescMethod, DescService } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import type { DocsOptions } from "./options.js";
import { withoutWildcards } from "./resource-names.js";
import type { ExternalDocs, Info, Tag } from "./types.js";
import { concatenate, WireFields } from "./wire-fields.js";

const extensionNumber = 1042;

/** What an operation says of itself. What is absent is made from the method. */
export interface OperationOptions {
  readonly tags: readonly string[];
  readonly summary: string | undefined;
  readonly description: string | undefined;
  readonly operationId: string | undefined;
  readonly isDeprecated: boolean;
  readonly security: NonNullable<DocsOptions["security"]> | undefined;
  readonly externalDocs: ExternalDocs | undefined;
}

/** What a file says of the whole API. */
export interface ApiOptions {
  readonly info: Partial<Info>;
  readonly securitySchemes: NonNullable<DocsOptions["securitySchemes"]>;
  readonly security: NonNullable<DocsOptions["security"]>;
  readonly tags: readonly Tag[];
  readonly externalDocs: ExternalDocs | undefined;
}

/** Reads the option of a file. Of several files the first that has an entry counts. */
export function readApiOptions(files: Iterable<DescFile>): ApiOptions {
  const all = [...new Set(files)].flatMap((file) => readOption(file.proto.options) ?? []);
  const infos = all.map((api) => readInfo(api.message(2)));
  return {
    info: Object.assign({}, ...infos.reverse()),
    securitySchemes: Object.fromEntries(all.flatMap((api) => readSchemes(api)).reverse()),
    security: all.map((api) => readRequirements(api.messages(12))).find((security) => security.length > 0) ?? [],
    tags: all.flatMap((api) => api.messages(13).flatMap((tag) => readTag(tag) ?? [])),
    externalDocs: all.map((api) => readExternalDocs(api.message(14))).find((docs) => docs !== undefined),
  };
}

/** Reads the option of a service; undefined without one. */
export function readServiceTag(service: DescService): Tag | undefined {
  const option = readOption(service.proto.options);
  return option && { name: service.name, ...readTag(option), ...textsOf({ description: option.text(2) }) };
}

const noOptions: OperationOptions = {
  tags: [],
  summary: undefined,
  description: undefined,
  operationId: undefined,
  isDeprecated: false,
  security: undefined,
  externalDocs: undefined,
};

/** Reads the option of a method. */
export function readOperationOptions(method: DescMethod): OperationOptions {
  const option = readOption(method.proto.options);
  if (option === undefined) return noOptions;
  const security = readRequirements(option.messages(12));
  return {
    tags: option.texts(1),
    summary: cleanText(option.text(2)),
    description: cleanText(option.text(3)),
    operationId: option.text(5),
    isDeprecated: option.number(11) !== 0,
    security: security.length === 0 ? undefined : security,
    externalDocs: readExternalDocs(option.message(4)),
  };
}

function cleanText(text: string | undefined): string | undefined {
  return text && withoutWildcards(text);
}

type Options = Pick<NonNullable<DescFile["proto"]["options"]>, "$unknown">;

/**
 * Reads the option of a declaration; undefined without one. An option whose bytes are not a message is another extension
 * with the same number.
 */
export function readOption(options: Options | undefined): WireFields | undefined {
  const fields = options?.$unknown?.filter(
    ({ no, wireType }) => no === extensionNumber && wireType === WireType.LengthDelimited,
  );
  if (fields === undefined || fields.length === 0) return undefined;
  try {
    return new WireFields(concatenate(fields.map(({ data }) => new BinaryReader(data).bytes())));
  } catch {
    return undefined;
  }
}

function readInfo(info: WireFields): Partial<Info> {
  const contact = textsOf({
    name: info.message(4).text(1),
    url: info.message(4).text(2),
    email: info.message(4).text(3),
  });
  const license = info.message(5).text(1);
  return {
    ...textsOf({
      title: info.text(1),
      description: info.text(2),
      termsOfService: info.text(3),
      version: info.text(6),
    }),
    ...(Object.keys(contact).length === 0 ? {} : { contact }),
    ...(license === undefined ? {} : { license: { name: license, ...textsOf({ url: info.message(5).text(2) }) } }),
  };
}

function readTag(tag: WireFields): Tag | undefined {
  const name = tag.text(1);
  const externalDocs = readExternalDocs(tag.message(3));
  if (name === undefined) return undefined;
  return { name, ...textsOf({ description: tag.text(2) }), ...(externalDocs && { externalDocs }) };
}

/** Reads `ExternalDocumentation`; undefined without an address. */
export function readExternalDocs(docs: WireFields): ExternalDocs | undefined {
  const url = docs.text(2);
  return url === undefined ? undefined : { url, ...textsOf({ description: docs.text(1) }) };
}

/** Each requirement names schemes that are all needed; of several requirements one is enough. */
function readRequirements(requirements: readonly WireFields[]): Record<string, string[]>[] {
  return requirements.map((requirement) =>
    Object.fromEntries(requirement.entries(1).map(([name, entry]) => [name, entry.message(2).texts(1)])),
  );
}

function readSchemes(api: WireFields): [string, Record<string, unknown>][] {
  const entries = api.message(11).entries(1);
  return entries.flatMap(([name, entry]): [string, Record<string, unknown>][] => {
    const scheme = readScheme(entry.message(2));
    return scheme === undefined ? [] : [[name, scheme]];
  });
}

const places = ["", "query", "header"];
const flows = ["", "implicit", "password", "clientCredentials", "authorizationCode"];

/** OpenAPI 3.1 has other words for the same: https://spec.openapis.org/oas/v3.1.1.html#security-scheme-object. */
function readScheme(scheme: WireFields): Record<string, unknown> | undefined {
  const description = textsOf({ description: scheme.text(2) });
  switch (scheme.number(1)) {
    case 1:
      return { type: "http", scheme: "basic", ...description };
    case 2:
      return { type: "apiKey", name: scheme.text(3) ?? "", in: places[scheme.number(4)] || "header", ...description };
    case 3: {
      const urls = textsOf({ authorizationUrl: scheme.text(6), tokenUrl: scheme.text(7) });
      const scopes = Object.fromEntries(
        scheme
          .message(8)
          .entries(1)
          .map(([name, entry]) => [name, entry.text(2) ?? ""]),
      );
      const flow = flows[scheme.number(5)] || "authorizationCode";
      return { type: "oauth2", flows: { [flow]: { ...urls, scopes } }, ...description };
    }
    default:
      return undefined;
  }
}

/** The entries that have a text. */
function textsOf<Name extends string>(
  texts: Readonly<Record<Name, string | undefined>>,
): Partial<Record<Name, string>> {
  const entries = Object.entries(texts).filter(([, text]) => text !== undefined);
  return Object.fromEntries(entries) as Partial<Record<Name, string>>;
}
