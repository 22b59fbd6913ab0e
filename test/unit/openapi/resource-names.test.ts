import { expect, it } from "vitest";
import { withoutWildcards } from "../../../server/openapi/resource-names.js";

it.each([
  ["The name, `shelves/*/books/*`.", "The name, `shelves/{shelf}/books/{book}`."],
  ["projects/*/documents/**", "projects/{project}/documents/{document=**}"],
  ["Ends in categories/*.", "Ends in categories/{category}."],
  ["No resources: image/*, */*, a * b, src/*.ts", "No resources: image/*, * /*, a * b, src/*.ts"],
  ["files/*/*", "files/{file}/*"],
  ["no wildcard", "no wildcard"],
])("%j becomes %j", (text, written) => {
  expect(withoutWildcards(text)).toBe(written);
});
