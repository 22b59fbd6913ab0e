// The description of a method for the script of the page. The server writes it into the page as JSON.

export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;
export type JsonObject = { [name: string]: JsonValue };

/** One method. */
export interface MethodInfo {
  /** `package.Service`, and the method's name in the proto. */
  readonly service: string;
  readonly name: string;
  readonly kind: "unary" | "server_streaming" | "client_streaming" | "bidi_streaming";
  /** The protocols of RPC that may call it. */
  readonly protocols: readonly string[];
  /** Whether a call changes nothing on the server. */
  readonly isSafe: boolean;
  /** Its routes of `google.api.http`; its own before the additional ones. */
  readonly routes: readonly Route[];
  /** A request to begin with, which suits the first route. */
  readonly sample: JsonValue;
  /** The fields of a request that a file can fill. */
  readonly files: readonly FileField[];
  /** The proto file that defines it, for tools where the server has no reflection; undefined where it has. */
  readonly protoFile: string | undefined;
  readonly typescript: TypeScriptNames;
}

/** What generated code calls a method. */
export interface TypeScriptNames {
  /** `./gen/hello_world_pb.js`, `Greeter`, `sayHello`. */
  readonly module: string;
  readonly service: string;
  readonly method: string;
  /** Whether the JSON of a request is also an initialiser of its message: all its fields are plain. */
  readonly isPlain: boolean;
}

/** One route. */
export interface Route {
  /** `GET`, or `*` for any. */
  readonly httpMethod: string;
  /** As in the proto: `/v1/example/echo/{name}`. */
  readonly template: string;
  /** Encoded text, or a variable. `*` and `**` outside of variables are text, too: `-`, or nothing. */
  readonly segments: readonly (string | PathVariable)[];
  /** What follows a colon at the end; empty if there is none. */
  readonly verb: string;
  /** What of a request is the body: nothing, JSON, or the data of a google.api.HttpBody. */
  readonly body: "none" | "json" | "bytes";
  /** The field that is the body; undefined if it is the whole message. */
  readonly bodyField: FieldName | undefined;
  /** A request to begin with, which has all that the path needs; undefined if it is that of the method. */
  readonly sample: JsonValue | undefined;
}

/** A field of bytes, or of a google.api.HttpBody. */
export interface FileField {
  /** JSON names, from the message inwards; empty if the request itself is the HttpBody. */
  readonly path: readonly string[];
  readonly isHttpBody: boolean;
}

/** The names of a field, of which JSON may have either: its JSON name, its name in the proto. */
export type FieldName = readonly [jsonName: string, name: string];

/** A part of a path that is a field. */
export interface PathVariable {
  /** The field, after those that lead to it. */
  readonly fields: readonly FieldName[];
  /** Whether "/" may occur in its value, and separates there. */
  readonly isMultiSegment: boolean;
}

type Shaped = Pick<MethodInfo, "kind">;

/** Whether a call has any number of requests. */
export function hasManyRequests({ kind }: Shaped): boolean {
  return kind === "client_streaming" || kind === "bidi_streaming";
}

/** Whether a call has any number of replies. */
export function hasManyReplies({ kind }: Shaped): boolean {
  return kind === "server_streaming" || kind === "bidi_streaming";
}

/** The request to begin with for a route. */
export function sampleFor(method: Pick<MethodInfo, "sample">, route: Route | undefined): JsonValue {
  return route?.sample ?? method.sample;
}
