// Encodes the fields that neither path nor body has as the query of a request (google/api/http.proto,
// "Rules for HTTP mapping").
import type { DescField, Message } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { type Claims, claimsOf, hasClaimedRival } from "../claims.js";
import { hasImplicitPresence, isNested, printFieldPath } from "../fields.js";
import { encodePercent } from "../percent.js";
import type { Binding } from "../route/binding.js";
import { type Printer, printerOf } from "./print.js";
import { unfit } from "./unfit.js";

/** Writes the query, without "?". @throws UnfitError if the message has a value that a query cannot carry */
type QueryWriter = (message: Message) => string;

/** Prepares the writing of queries for one binding. */
export function createQueryWriter(binding: Binding): QueryWriter {
  const claims = claimsOf(binding);
  if (claims === "whole") return () => "";
  return (message) => writeFields(reflect(binding.method.input, message, false), claims, []).join("&");
}

function writeFields(
  message: ReflectMessage,
  claims: Exclude<Claims, "whole">,
  parents: readonly DescField[],
): string[] {
  return message.fields
    .filter((field) => message.isSet(field))
    .flatMap((field) => {
      const path = [...parents, field];
      if (hasClaimedRival(claims, field)) throw unfit(printFieldPath(path), "the body is another member of its oneof");
      return writeField(message, field, claims.get(field), path);
    });
}

function writeField(
  message: ReflectMessage,
  field: DescField,
  claim: Claims | undefined,
  path: readonly DescField[],
): string[] {
  if (claim === "whole") return [];
  const print = printerOf(field);
  if (print !== undefined) {
    const values = field.fieldKind === "list" ? [...message.get(field)] : [message.get(field)];
    return values.map((value) => writePair(path, print, value));
  }
  if (!isNested(field)) throw unfit(printFieldPath(path), "a query cannot carry a value of its type");
  const child = message.get(field);
  const pairs = writeFields(child, claim ?? new Map(), path);
  const isMarked = pairs.length > 0 || claim !== undefined;
  return isMarked ? pairs : [writeMarker(child, path)];
}

/** A parameter that sets nothing in an empty message, but makes it present. */
function writeMarker(message: ReflectMessage, path: readonly DescField[]): string {
  for (const field of message.fields) {
    const print = field.fieldKind === "list" || !hasImplicitPresence(field) ? undefined : printerOf(field);
    if (print !== undefined) return writePair([...path, field], print, message.get(field));
  }
  throw unfit(printFieldPath(path), "a query cannot tell an empty message from none");
}

function writePair(path: readonly DescField[], print: Printer, value: unknown): string {
  const text = print(value);
  const encoded = text === undefined ? undefined : encodePercent(text);
  if (encoded === undefined) throw unfit(printFieldPath(path), "has a value that has no text");
  return `${path.map(writeName).join(".")}=${encoded}`;
}

/** The name in JSON, as Google's clients write it, unless it would be read as a path or a system parameter. */
function writeName({ jsonName, name }: DescField): string {
  const encoded = /[.]|^\$|^$/.test(jsonName) ? undefined : encodePercent(jsonName);
  return encoded ?? name;
}
