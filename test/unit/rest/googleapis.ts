// Routes of the shape that the googleapis repository has: versions, resource names in variables, collections, custom
// verbs. Made up, but as many and as deep.
import type { Rule } from "../../../server/rest/route/binding.js";
import { RestService } from "../../gen/manywire/test/rest/v1/rest_pb.js";

/** How many routes the googleapis repository has. */
export const googleapisCount = 13_833;

const parents = ["projects/*", "projects/*/locations/*", "organizations/*", "folders/*", "projects/*/zones/*"];

/** The first so many routes. No two are the same. */
export function googleapisRules(count: number): Rule[] {
  const rules: Rule[] = [];
  for (let collection = 0; rules.length < count; collection += 1) rules.push(...rulesOf(collection));
  return rules.slice(0, count);
}

/** The standard methods of a collection and two of its own: https://google.aip.dev/131 to 136. */
function rulesOf(collection: number): Rule[] {
  const version = `v${1 + (collection % 3)}`;
  const parent = parents[collection % parents.length];
  const name = `shelves${collection}`;
  const one = `/${version}/{text=${parent}/${name}/*}`;
  const all = `/${version}/{text=${parent}}/${name}`;
  return [
    rule("GET", one),
    rule("DELETE", one),
    rule("PATCH", `/${version}/{node.text=${parent}/${name}/*}`),
    rule("GET", all),
    rule("POST", all),
    rule("POST", `${one}:cancel`),
    rule("GET", `/${version}/{text=${parent}/${name}/*}/operations/{note}`),
    rule("GET", `/${version}/{text=${parent}/${name}/**}:download`),
  ];
}

function rule(httpMethod: string, template: string): Rule {
  const label = `${httpMethod} ${template}`;
  return { method: RestService.method.query, httpMethod, template, body: "", responseBody: "", label };
}

/** A path that a route matches. */
export function pathOf({ template }: Rule): string {
  return template
    .replace(/\{[\w.]+=?([^}]*)\}/g, (_, pattern: string) => pattern || "*")
    .replace("**", "deep/er")
    .replaceAll("*", "some-name-1");
}
