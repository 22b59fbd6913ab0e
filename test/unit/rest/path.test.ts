import { create } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createPlace, setAt } from "../../../server/rest/read/place.js";
import { createRoutes } from "../../../server/rest/route/routes.js";
import { printTemplate, type Segment, type Variable } from "../../../server/rest/route/template.js";
import { createPathWriter } from "../../../server/rest/write/path.js";
import { EverythingSchema } from "../../gen/manywire/test/rest/v1/everything_pb.js";
import { RestService } from "../../gen/manywire/test/rest/v1/rest_pb.js";
import { bindingTo, decode } from "../../support/rest-bindings.js";

/** A segment of a template, and the parts of a value that it matches. */
type Piece = [segment: Segment, parts: string[]];

const letters = [..."ab:%?#&=+ é€😀"];
const part = fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 4 });
const partWithSlash = fc.string({ unit: fc.constantFrom("/", ".b", ...letters), minLength: 1, maxLength: 4 });
const single: Segment = { kind: "single" };

/** In a value of several segments an escaped slash stays escaped, or it would separate. */
const pieceOfSeveral: fc.Arbitrary<Piece> = fc.oneof(
  fc.constantFrom<Piece>(
    [{ kind: "literal", text: "b-c" }, ["b-c"]],
    [{ kind: "literal", text: "a%2Fb" }, ["a%2Fb"]],
    [{ kind: "literal", text: "%E2%82%AC" }, ["€"]],
  ),
  part.map((text): Piece => [single, [text]]),
);
const several = fc.array(pieceOfSeveral, { minLength: 2, maxLength: 4 });
const alone = fc.oneof(
  partWithSlash.map((text): Piece[] => [[single, [text]]]),
  fc.constantFrom<Piece[]>([[{ kind: "literal", text: "a%2Fb" }, ["a/b"]]], [[{ kind: "literal", text: "x" }, ["x"]]]),
);
const any = fc
  .tuple(several, fc.array(fc.oneof(part, fc.constant("")), { maxLength: 3 }))
  .map(([pieces, parts]): Piece[] => [...pieces, [{ kind: "multi" }, parts]]);

const names = [["text"], ["note"], ["node", "text"], ["node", "child", "text"], ["names", "to_string"]];

/** A template, all of whose segments are in variables, with a value for each variable. */
const routed = fc
  .tuple(
    fc.array(fc.oneof(alone, several), { maxLength: 2 }),
    any,
    fc.array(fc.oneof(alone, several), { maxLength: 2 }),
  )
  .chain(([before, withMulti, after]) =>
    fc.tuple(
      fc.constantFrom([...before, withMulti, ...after], [...before, ...after, [[single, ["x"]] as Piece]]),
      fc.constantFrom("", "undo", "%3A"),
    ),
  )
  .map(([groups, verb]) => {
    const segments: Segment[] = [];
    const variables: Variable[] = groups.map((pieces, index) => {
      const start = segments.length;
      segments.push(...pieces.map(([segment]) => segment));
      return { names: names[index] ?? [], start, end: segments.length, column: 0 };
    });
    const values = groups.map((pieces) => pieces.flatMap(([, parts]) => parts).join("/"));
    return { template: printTemplate({ segments, variables, verb }), values };
  });

test("a path that is built of values is routed by its template, and gives the values", () => {
  fc.assert(
    fc.property(routed, ({ template, values }) => {
      const binding = bindingTo(RestService.method.query, `GET ${template}`);
      const message = create(EverythingSchema);
      binding.variables.forEach(({ fields }, index) => {
        const place = createPlace(fields);
        if (place !== undefined) setAt(reflect(EverythingSchema, message), place, values[index]);
      });
      const path = createPathWriter(binding).write(message);
      const found = createRoutes([binding]).routes.find("GET", path);
      const captures = found.kind === "found" ? found.captures : undefined;
      if (captures === undefined) throw new Error(`${path} is not found by ${template}`);
      expect(decode(binding, { captures })).toEqual(message);
    }),
    { numRuns: 2_000 },
  );
});
