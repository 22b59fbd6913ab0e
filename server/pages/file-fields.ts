// Lists the fields of a request that the page can fill from a file: bytes, and google.api.HttpBody.
import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { isHttpBody, isNested } from "../rest/fields.js";
import type { FileField } from "./browser/method.js";

/** Deeper messages are not in the sample either. */
const depth = 2;

export function listFileFields(desc: DescMessage, path: readonly string[] = []): FileField[] {
  if (isHttpBody(desc)) return [{ path, isHttpBody: true }];
  return desc.fields.flatMap((field) => {
    const inner = [...path, field.jsonName];
    if (isBytes(field)) return [{ path: inner, isHttpBody: false }];
    return isNested(field) && inner.length <= depth ? listFileFields(field.message, inner) : [];
  });
}

function isBytes({ fieldKind, scalar }: DescField): boolean {
  return fieldKind === "scalar" && scalar === ScalarType.BYTES;
}
