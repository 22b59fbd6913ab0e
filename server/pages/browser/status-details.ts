// Reads the details of an error from `grpc-status-details-bin`, a google.rpc.Status in base64. Details are messages of
// google/rpc/error_details.proto. Other messages are shown as base64, since the page does not have their schema.
import { decodeFields, type WireField } from "./wire-format.js";

/** One detail of an error. */
export interface ErrorDetail {
  /** `google.rpc.BadRequest`. */
  readonly type: string;
  /** JSON, or base64. */
  readonly text: string;
}

/** Field number → name, with the fields of a message. `[]` marks a repeated field, `{}` a map. */
type Shape = { readonly [number: number]: string | readonly [name: string, shape: Shape] };

const violations: Shape = { 1: "subject", 2: "description" };
const localized: Shape = { 1: "locale", 2: "message" };

const shapes: Readonly<Record<string, Shape>> = {
  "google.rpc.ErrorInfo": { 1: "reason", 2: "domain", 3: ["metadata{}", { 1: "key", 2: "value" }] },
  "google.rpc.RetryInfo": { 1: ["retryDelay", { 1: "seconds", 2: "nanos" }] },
  "google.rpc.DebugInfo": { 1: "stackEntries[]", 2: "detail" },
  "google.rpc.QuotaFailure": { 1: ["violations[]", violations] },
  "google.rpc.PreconditionFailure": { 1: ["violations[]", { 1: "type", 2: "subject", 3: "description" }] },
  "google.rpc.BadRequest": {
    1: ["fieldViolations[]", { 1: "field", 2: "description", 3: "reason", 4: ["localizedMessage", localized] }],
  },
  "google.rpc.RequestInfo": { 1: "requestId", 2: "servingData" },
  "google.rpc.ResourceInfo": { 1: "resourceType", 2: "resourceName", 3: "owner", 4: "description" },
  "google.rpc.Help": { 1: ["links[]", { 1: "description", 2: "url" }] },
  "google.rpc.LocalizedMessage": localized,
};

/** Fields of google.rpc.Status and google.protobuf.Any. */
const detailsField = 3;
const typeUrlField = 1;
const valueField = 2;

/** @param base64 with or without padding. Returns no details if it cannot be read. */
export function readStatusDetails(base64: string): ErrorDetail[] {
  try {
    const status = decodeFields(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
    return status.filter(({ number }) => number === detailsField).map(({ bytes }) => readAny(decodeFields(bytes)));
  } catch {
    // Not base64, or not protobuf.
    return [];
  }
}

function readAny(fields: readonly WireField[]): ErrorDetail {
  const bytesOf = (number: number) => fields.find((field) => field.number === number)?.bytes ?? new Uint8Array();
  const type = textOf(bytesOf(typeUrlField)).replace(/^.*\//, "");
  const value = bytesOf(valueField);
  const shape = shapes[type];
  if (shape === undefined) return { type, text: btoa(String.fromCharCode(...value)) };
  return { type, text: JSON.stringify(readMessage(decodeFields(value), shape), undefined, 2) };
}

function readMessage(fields: readonly WireField[], shape: Shape): Record<string, unknown> {
  const message: Record<string, unknown> = {};
  for (const field of fields) {
    const known = shape[field.number];
    if (known === undefined) continue;
    const [name, inner] = typeof known === "string" ? [known, undefined] : known;
    const value = inner === undefined ? scalarOf(field) : readMessage(decodeFields(field.bytes), inner);
    const [plain = "", mark] = name.split(/(?=\[\]|\{\})/);
    if (mark === "[]") message[plain] = [message[plain] ?? [], value].flat();
    else if (mark === "{}") message[plain] = { ...Object(message[plain]), ...toEntry(value) };
    else message[plain] = value;
  }
  return message;
}

/** An entry of a map comes as a message. */
function toEntry(entry: unknown): Record<string, unknown> {
  const { key = "", value = "" }: Record<string, unknown> = Object(entry);
  return Object.fromEntries([[key, value]]);
}

function scalarOf({ bytes, varint }: WireField): string {
  return varint === undefined ? textOf(bytes) : String(varint);
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
