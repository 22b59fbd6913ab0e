// Turns errors into the JSON of google.rpc.Status and back (google/rpc/status.proto), or into the shape of Google's own
// APIs (https://google.aip.dev/193).
import type { JsonObject, JsonValue, Registry } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { isJsonObject } from "../../codec/json-facts.js";
import { preferTypes } from "../../schema/file-types.js";
import { commonTypes } from "../../schema/types.js";
import { decodeDetail, encodeDetail } from "./detail.js";
import { codeToName, codeToStatus, nameToCode, numberToCode, statusToCode } from "./status.js";

/**
 * What an error looks like:
 * - "status": `{"code":5,"message":"…","details":[…]}`, a google.rpc.Status;
 * - "google": `{"error":{"code":404,"message":"…","status":"NOT_FOUND","details":[…]}}`, AIP-193;
 * - a function: what it returns. If it throws or does not return JSON, the error has the shape "status".
 */
export type ErrorShape = "status" | "google" | ((error: ConnectError) => JsonValue);

/** Writes errors. Never throws. */
export type ErrorEncoder = (error: ConnectError) => JsonValue;

/**
 * Prepares the writing of errors.
 *
 * @param registry the types of details, besides the well-known ones and those of google.rpc. A detail of any other type is
 * `{"@type":…,"value":"<base64>"}`.
 * @param onFault called with what the application's function throws
 */
export function createErrorEncoder(
  shape: ErrorShape = "status",
  registry?: Registry,
  onFault: (reason: unknown) => void = () => {},
): ErrorEncoder {
  if (typeof shape === "function") {
    const encode = createErrorEncoder("status", registry);
    return (error) => {
      try {
        return checkJson(shape(error));
      } catch (reason) {
        onFault(reason);
        return encode(error);
      }
    };
  }
  const types = preferTypes(registry, commonTypes);
  return (error) => {
    const { code, rawMessage: message } = error;
    const details = error.details.flatMap((detail) => encodeDetail(detail, types) ?? []);
    if (shape === "status") return { code, message, details };
    return { error: { code: codeToStatus(code), message, status: codeToName(code), details } };
  };
}

/** @throws TypeError if the value has no JSON */
function checkJson(value: JsonValue): JsonValue {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`expected JSON, found ${typeof value}`);
  return value;
}

/** Reads errors. Never throws. @param json the body, if it is JSON */
export type ErrorDecoder = (status: number, json: JsonValue | undefined, metadata?: HeadersInit) => ConnectError;

/**
 * Prepares the reading of errors, in either shape, alone or as the last element of an array, which is how Google's servers
 * end a stream. What is missing comes from the HTTP status.
 *
 * @param types the types of details. A detail of any other type is kept if it has its bytes, and left out if it is JSON, which
 * cannot be read without its type.
 */
export function createErrorDecoder(types: Registry): ErrorDecoder {
  return (status, json, metadata) => {
    const body = findStatus(json);
    const message = typeof body.message === "string" ? body.message : `HTTP status ${status}`;
    const error = new ConnectError(message, findCode(body) ?? statusToCode(status), metadata);
    const details = Array.isArray(body.details) ? body.details : [];
    error.details = details.flatMap((detail) => decodeDetail(detail, types) ?? []);
    return error;
  };
}

/** The object that has code, message and details. */
function findStatus(json: JsonValue | undefined): JsonObject {
  const last = Array.isArray(json) ? json.at(-1) : json;
  if (!isJsonObject(last)) return {};
  const inner = last.error;
  return isJsonObject(inner) ? inner : last;
}

/** By name as in AIP-193, where the number is an HTTP status; else by the number, which no HTTP status is below 100. */
function findCode({ status, code }: JsonObject) {
  const named = typeof status === "string" ? nameToCode(status) : undefined;
  if (named !== undefined || typeof code !== "number") return named;
  return numberToCode(code) ?? (code >= 100 ? statusToCode(code) : undefined);
}
