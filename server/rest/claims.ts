// Finds the fields of a request that the path and the body set, so that the query cannot: rule 1 of
// google/api/http.proto, "Rules for HTTP mapping".
import type { DescField } from "@bufbuild/protobuf";
import type { Binding } from "./route/binding.js";

/** A message that is set as a whole, or its fields that are set, each as a whole or in part. */
export type Claims = "whole" | ReadonlyMap<DescField, Claims>;

/** No field is set. */
export const noClaims: ReadonlyMap<DescField, Claims> = new Map();

/** The fields that a binding sets from the path and the body. */
export function claimsOf(binding: Binding): Claims {
  const { requestBody, variables } = binding;
  if (requestBody.kind !== "none" && requestBody.field === undefined) return "whole";
  const paths = variables.map(({ fields }) => fields);
  return claimPaths(
    requestBody.kind === "none" || requestBody.field === undefined ? paths : [...paths, [requestBody.field]],
  );
}

/** The fields that a binding sets from the path alone. */
export function pathClaimsOf({ variables }: Binding): ReadonlyMap<DescField, Claims> {
  return claimPaths(variables.map(({ fields }) => fields));
}

function claimPaths(paths: readonly (readonly DescField[])[]): ReadonlyMap<DescField, Claims> {
  const heads = new Set(paths.flatMap(([head]) => head ?? []));
  return new Map(
    [...heads].map((head): [DescField, Claims] => {
      const tails = paths.filter((path) => path[0] === head).map((path) => path.slice(1));
      return [head, tails.some((tail) => tail.length === 0) ? "whole" : claimPaths(tails)];
    }),
  );
}

/** Whether the path or the body sets another member of the field's oneof. */
export function hasClaimedRival(claims: ReadonlyMap<DescField, Claims>, field: DescField): boolean {
  return field.oneof?.fields.some((other) => other !== field && claims.has(other)) ?? false;
}
