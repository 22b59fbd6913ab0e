// Samples of single values: scalars, and messages whose JSON is not an object of their fields.
import { type DescMessage, ScalarType } from "@bufbuild/protobuf";
import type { JsonValue } from "./browser/method.js";

/** @param text the sample of a string */
export function scalarSample(scalar: ScalarType, text: string): JsonValue {
  if (scalar === ScalarType.STRING) return text;
  if (scalar === ScalarType.BOOL) return false;
  if (scalar === ScalarType.BYTES) return bytesSample;
  return is64Bit(scalar) ? "1" : 1;
}

/** Whether JSON has numbers of this type as strings. */
export function is64Bit(scalar: ScalarType): boolean {
  return [ScalarType.INT64, ScalarType.UINT64, ScalarType.SINT64, ScalarType.FIXED64, ScalarType.SFIXED64].includes(
    scalar,
  );
}

/** The sample of a well-known type; undefined for `Any`. */
export function wellKnownSample({ typeName }: DescMessage): JsonValue | undefined {
  return wellKnownSamples[typeName];
}

/** One byte. */
const bytesSample = "AQ==";

/** A google.api.HttpBody with the word "text". */
export const httpBodySample: Readonly<Record<string, JsonValue>> = { contentType: "text/plain", data: "dGV4dA==" };

const wellKnownSamples: Readonly<Record<string, JsonValue>> = {
  "google.protobuf.Timestamp": "2026-01-01T00:00:00Z",
  "google.protobuf.Duration": "1s",
  "google.protobuf.FieldMask": "name",
  "google.protobuf.Struct": { key: "value" },
  "google.protobuf.Value": "text",
  "google.protobuf.ListValue": ["text"],
  "google.protobuf.BoolValue": false,
  "google.protobuf.BytesValue": bytesSample,
  "google.protobuf.DoubleValue": 1,
  "google.protobuf.FloatValue": 1,
  "google.protobuf.Int32Value": 1,
  "google.protobuf.Int64Value": "1",
  "google.protobuf.StringValue": "text",
  "google.protobuf.UInt32Value": 1,
  "google.protobuf.UInt64Value": "1",
};
