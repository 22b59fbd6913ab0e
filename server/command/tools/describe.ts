// `manywire describe`: prints what a server serves as the text of proto files.
import type { ToolStreams } from "./call.js";
import { toProtoText } from "./proto-text.js";
import { type Declared, findSymbol, loadSchema } from "./schema.js";
import type { TargetFlags } from "./target.js";

export interface DescribeFlags extends TargetFlags {
  readonly schema?: string;
}

/**
 * Prints one symbol, or all services.
 *
 * @param name full name of a service, method, message, enum or extension
 * @throws SettingError, ConnectError
 */
export async function describe(
  address: string,
  name: string | undefined,
  flags: DescribeFlags,
  { stdout }: Pick<ToolStreams, "stdout">,
): Promise<void> {
  const schema = await loadSchema(address, flags, flags.schema);
  const symbols: readonly Declared[] = name === undefined ? schema.services : [findSymbol(schema, name)];
  stdout.write(symbols.map((symbol) => `// ${fullNameOf(symbol)}\n${toProtoText(symbol)}`).join("\n"));
}

function fullNameOf(symbol: Declared): string {
  return symbol.kind === "rpc" ? `${symbol.parent.typeName}.${symbol.name}` : symbol.typeName;
}
