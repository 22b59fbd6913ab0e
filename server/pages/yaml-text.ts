// Turns a document into YAML 1.2 (https://yaml.org/spec/1.2.2/) without anchors, part by part. The `yaml` package needs
// 7 s for 993 methods, and cannot pause. A scalar is plain only where no reader can take it for another type; others are
// double-quoted, because the escapes of JSON are also escapes of YAML.

/** The lines of a value, in parts. Values more than `depth` levels down are one part each. */
export function* yamlPieces(value: unknown, depth: number, indent = ""): Generator<string> {
  if (depth === 0 || !isFilledObject(value)) {
    yield block(value, indent);
    return;
  }
  for (const [name, member] of membersOf(value)) {
    if (isFilledObject(member)) {
      yield `${indent}${key(name, indent)}:\n`;
      yield* yamlPieces(member, depth - 1, `${indent}  `);
    } else {
      yield memberText(name, member, indent);
    }
  }
}

/** The lines of a value. Each begins with the indent. */
function block(value: unknown, indent: string): string {
  if (isFilledArray(value)) return value.map((item) => `${indent}- ${itemText(item, indent)}`).join("");
  if (!isFilledObject(value)) return `${indent}${inline(value, indent)}\n`;
  return membersOf(value)
    .map(([name, member]) => memberText(name, member, indent))
    .join("");
}

function memberText(name: string, value: unknown, indent: string): string {
  const isBlock = isFilledObject(value) || isFilledArray(value);
  const text = isBlock ? `\n${block(value, `${indent}  `)}` : ` ${inline(value, indent)}\n`;
  return `${indent}${key(name, indent)}:${text}`;
}

/** A block begins on the line of its `-`. */
function itemText(item: unknown, indent: string): string {
  const isBlock = isFilledObject(item) || isFilledArray(item);
  return isBlock ? block(item, `${indent}  `).slice(indent.length + 2) : `${inline(item, indent)}\n`;
}

function inline(value: unknown, indent: string): string {
  if (typeof value !== "string") return JSON.stringify(value ?? null);
  return isLiteral(value) ? literal(value, `${indent}  `) : scalar(value);
}

/** A key of more than 1,024 characters needs an indicator before it (section 7.4.2). */
function key(name: string, indent: string): string {
  const text = scalar(name);
  return text.length > 1000 ? `? ${text}\n${indent}` : text;
}

/** Text that is no number, boolean, null, date or indicator in any version of YAML. */
const plain = /^(?!(?:true|false|null|yes|no|on|off|y|n)$)[A-Za-z/$_](?:[\w./${}-]| (?=[A-Za-z]))*$/i;

function scalar(text: string): string {
  return plain.test(text) ? text : escapeUnprintable(JSON.stringify(text));
}

/** Escapes what JSON allows in a string, and YAML does not or reads as a line break (section 5.1). */
function escapeUnprintable(json: string): string {
  return json.replace(
    /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * Whether a literal block keeps the text: it has several lines and only printable characters, does not begin with white
 * space, and does not end with it.
 */
function isLiteral(text: string): boolean {
  return text.includes("\n") && /^(?!\s)[\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\n]*$(?<!\s)/.test(text);
}

function literal(text: string, indent: string): string {
  return `|-\n${text.replace(/^(?=.)/gm, indent)}`;
}

function isFilledObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.values(value).some((member) => member !== undefined);
}

function isFilledArray(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length > 0;
}

/** As in JSON, members without a value are left out. */
function membersOf(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, member]) => member !== undefined);
}
