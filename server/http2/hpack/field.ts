/** One field line. Values are latin1: one char per byte. Fields out of a table are the same object each time. */
export interface Field {
  readonly name: string;
  readonly value: string;
  /** Never indexed (RFC 7541 §6.2.3): an intermediary must not put the field into a table either. */
  readonly isSensitive?: boolean;
}

/** What a field takes besides its name and value, in tables (RFC 7541 §4.1) and header lists (RFC 9113 §6.5.2). */
export const fieldOverheadBytes = 32;

/** All have one shape, so that code which reads them stays monomorphic. */
class FieldLine implements Field {
  readonly name: string;
  readonly value: string;
  readonly isSensitive: boolean;

  constructor(name: string, value: string, isSensitive: boolean) {
    this.name = name;
    this.value = value;
    this.isSensitive = isSensitive;
  }
}

/** Makes a field. */
export function createField(name: string, value: string, isSensitive = false): Field {
  return new FieldLine(name, value, isSensitive);
}

/** Returns the size of the field as tables and header lists count it. */
export function fieldBytes(field: Field): number {
  return field.name.length + field.value.length + fieldOverheadBytes;
}

/**
 * Secrets, which no table of ours may have: what is in a table can be guessed by its effect on the lengths of blocks (RFC 7541
 * §7.1).
 */
const secretNames: ReadonlySet<string> = new Set(["authorization", "proxy-authorization", "cookie", "set-cookie"]);

/** Whether values of this name are secrets, to be sent as never indexed. */
export function isSecretName(name: string): boolean {
  return secretNames.has(name);
}
