/** JSON with every number as the 32-bit float that it is nearest to: protobuf-es writes more digits of a float than it has. */
export function inFloats(text: string): string {
  return JSON.stringify(JSON.parse(text, (_, value) => (typeof value === "number" ? Math.fround(value) : value)));
}
