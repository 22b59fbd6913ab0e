// Reads `responses` of the options of grpc-gateway's protoc-gen-openapiv2: descriptions, headers and examples by status.
// Contents are what the server sends.
import type { DescMethod } from "@bufbuild/protobuf";
import { readOption } from "./gateway-options.js";
import { withoutWildcards } from "./resource-names.js";
import type { Content, Header, Response } from "./types.js";
import type { WireFields } from "./wire-fields.js";

/** The responses of a method, with those that the options of its file and of the method itself describe. */
export function describeResponses(
  method: DescMethod,
  responses: Readonly<Record<string, Response>>,
): Record<string, Response> {
  const described: Record<string, Response> = { ...responses };
  const ofFile = readOption(method.parent.file.proto.options)?.entries(10) ?? [];
  const ofMethod = readOption(method.proto.options)?.entries(9) ?? [];
  for (const [status, entry] of [...ofFile, ...ofMethod]) {
    if (isStatus.test(status)) described[status] = describe(status, entry.message(2), described, responses);
  }
  return described;
}

const isStatus = /^(?:[1-5]\d\d|default)$/;
/** Statuses of which HTTP says that they have no content: https://www.rfc-editor.org/rfc/rfc9110#section-15. */
const isEmpty = /^(?:1\d\d|204|205|3\d\d)$/;

function describe(
  status: string,
  option: WireFields,
  described: Readonly<Record<string, Response>>,
  responses: Readonly<Record<string, Response>>,
): Response {
  const sent = described[status] ?? responses[status.startsWith("2") ? "200" : "default"];
  const content = isEmpty.test(status) ? undefined : withExamples(sent?.content, option.entries(4));
  const headers = option.entries(3).map(([name, entry]) => [name, readHeader(entry.message(2))] as const);
  const description = option.text(1) ?? described[status]?.description ?? "";
  return {
    description: withoutWildcards(description),
    ...(headers.length === 0 ? {} : { headers: Object.fromEntries(headers) }),
    ...(content === undefined ? {} : { content }),
  };
}

/** Examples are JSON by media type. Of types that are not sent they are left out. */
function withExamples(content: Content | undefined, examples: readonly [string, WireFields][]): Content | undefined {
  if (content === undefined) return undefined;
  const texts = new Map(examples.map(([type, entry]) => [type, entry.text(2)]));
  const entries = Object.entries(content).map(([type, media]) => [type, { ...media, ...exampleOf(texts.get(type)) }]);
  return Object.fromEntries(entries);
}

function exampleOf(json: string | undefined): { readonly example?: unknown } {
  if (json === undefined) return {};
  try {
    return { example: JSON.parse(json) };
  } catch {
    return { example: json };
  }
}

const headerTypes = ["string", "number", "integer", "boolean"];

function readHeader(header: WireFields): Header {
  const [description, type = "", format, pattern] = [1, 2, 3, 13].map((number) => header.text(number));
  return {
    ...(description === undefined ? {} : { description: withoutWildcards(description) }),
    schema: {
      type: headerTypes.includes(type) ? type : "string",
      ...(format === undefined ? {} : { format }),
      ...(pattern === undefined ? {} : { pattern }),
    },
  };
}
