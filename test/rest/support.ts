// What the tests of REST share: bindings of the test service, and bindings made up on the spot.
import { create, type DescMethod, type MessageInitShape } from "@bufbuild/protobuf";
import { HttpSchema } from "../../gen/google/api/http_pb.js";
import { type Binding, bind } from "../../server/rest/binding.js";
import { createRouting, RoutingError } from "../../server/rest/routing.js";
import { RestService } from "../gen/manywire/test/rest/v1/rest_pb.js";

/** Every binding of the test service. */
export const bindings: readonly Binding[] = createRouting([RestService]).bindings;

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
  return bind({ method, httpMethod, template, body, responseBody, label: route });
}

/** The problems of the test service under the rules of a service configuration. */
export function problemsOf(rules: MessageInitShape<typeof HttpSchema>["rules"]): readonly string[] {
  try {
    createRouting([RestService], { http: create(HttpSchema, { rules: rules ?? [] }) });
    return [];
  } catch (error) {
    if (error instanceof RoutingError) return error.problems;
    throw error;
  }
}
