// What the tests of REST share: bindings of the test service, and bindings made up on the spot.
import {
  create,
  createRegistry,
  type DescMethod,
  type JsonValue,
  type Message,
  type MessageInitShape,
  type Registry,
  toJson,
} from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { HttpSchema } from "../../gen/google/api/http_pb.js";
import { BadRequestSchema } from "../../gen/google/rpc/error_details_pb.js";
import { createRequestDecoder, type DecodeOptions } from "../../server/rest/read/request.js";
import { type Binding, bindRule } from "../../server/rest/route/binding.js";
import { RoutingError } from "../../server/rest/route/rules.js";
import { NodeSchema } from "../gen/manywire/test/rest/v1/everything_pb.js";
import { RestService } from "../gen/manywire/test/rest/v1/rest_pb.js";
import { routesOf } from "./routing.js";

/** Every binding of the test service. */
export const bindings: readonly Binding[] = routesOf([RestService]).bindings;

/** The binding of the test service that has this label after the name of its service: `Whole: google.api.http post "/v1/whole"`. */
export function bindingOf(label: string): Binding {
  const name = `${RestService.typeName}.${label}`;
  const found = bindings.find((binding) => binding.label === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}

/** A binding that the test service does not have. */
export function bindingTo(method: DescMethod, route: string, body = "", responseBody = ""): Binding {
  const [httpMethod = "", template = ""] = route.split(" ");
  return bindRule({ method, httpMethod, template, body, responseBody, label: route });
}

/** The problems of the test service under the rules of a service configuration. */
export function problemsOf(rules: MessageInitShape<typeof HttpSchema>["rules"]): readonly string[] {
  try {
    routesOf([RestService], { http: create(HttpSchema, { rules: rules ?? [] }) });
    return [];
  } catch (error) {
    if (error instanceof RoutingError) return error.problems;
    throw error;
  }
}

/** A request as a test writes it: what is left out is empty. */
export interface Sent {
  readonly captures?: readonly string[];
  readonly query?: string;
  readonly contentType?: string;
  readonly body?: string | Uint8Array;
}

/** Reads a request of one binding. */
export function decode(binding: Binding, sent: Sent, options?: DecodeOptions): Message {
  const { captures = [], query = "", contentType, body = "" } = sent;
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  return createRequestDecoder(binding, options)({ captures, query, contentType, body: bytes });
}

/** Reads a request of one binding, and gives the message as JSON. */
export function decodeToJson(binding: Binding, sent: Sent, options?: DecodeOptions): JsonValue {
  return toJson(binding.method.input, decode(binding, sent, options), { registry });
}

/** The types that a `google.protobuf.Any` may hold in tests. */
export const registry: Registry = createRegistry(NodeSchema, DurationSchema);

/** The error of reading a request, as its message and the fields of its google.rpc.BadRequest. */
export function refusal(binding: Binding, sent: Sent, options?: DecodeOptions): { message: string; fields: string[] } {
  try {
    decode(binding, sent, options);
  } catch (error) {
    if (!(error instanceof ConnectError) || error.code !== Code.InvalidArgument) throw error;
    const violations = error.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) => fieldViolations);
    return { message: error.rawMessage, fields: violations.map(({ field }) => field) };
  }
  throw new Error("nothing was thrown");
}
