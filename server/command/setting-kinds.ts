// Parses and formats the values of settings: times, sizes, numbers, names, origins.
import { originForms, parseOrigin } from "../operate/cors/origins.js";
import { maxInt32 } from "../whole-number.js";

/** How one kind of setting is parsed and formatted. */
export interface Kind<Value> {
  /** Stands for the value in the help; absent where the flag alone says all. */
  readonly placeholder?: string;
  /** Completes "expected …". */
  readonly expected: string;
  /** Whether the flag may be repeated. Its texts are then joined by commas. */
  readonly isList?: boolean;
  /** Returns undefined for invalid text. */
  parse(text: string): Value | undefined;
  format(value: Value): string;
}

/** Any text that is not empty. */
export function text(placeholder: string): Kind<string> {
  return {
    placeholder: `<${placeholder}>`,
    expected: `${/^[aeiou]/.test(placeholder) ? "an" : "a"} ${placeholder}`,
    parse: (value) => (value === "" ? undefined : value),
    format: (value) => value,
  };
}

/** One of a few words. */
export function choice<Name extends string>(...names: Name[]): Kind<Name> {
  return {
    placeholder: "<name>",
    expected: `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`,
    parse: (value) => names.find((name) => name === value),
    format: (value) => value,
  };
}

/** Decimal digits only. */
export function wholeNumber(from: number, to: number = maxInt32): Kind<number> {
  return {
    placeholder: "<number>",
    expected: `a whole number from ${from} to ${to}`,
    parse: (value) => (/^\d+$/.test(value) ? within(Number(value), from, to) : undefined),
    format: String,
  };
}

/** Names with commas between. @param pattern what each of them matches */
export function names(placeholder: string, pattern: RegExp): Kind<string[]> {
  return {
    placeholder: `<${placeholder}>`,
    expected: `${placeholder} with commas between`,
    ...list((name) => pattern.test(name)),
  };
}

/** Origins of pages, as the option `cors.origins` has them. */
export const origins: Kind<string[]> = {
  placeholder: "<origin>",
  expected: originForms,
  ...list((origin) => parseOrigin(origin) !== undefined),
};

/** Addresses of gRPC servers, as the option `upstreams` has them. */
export const addresses: Kind<string[]> = {
  placeholder: "<address>",
  expected: "host:port, http://…, https://… or unix:/path",
  ...list((address) => /^(?:https?:\/\/[^/?#]+\/?|unix:.+|[^/:]+:\d+|\[[\da-fA-F:]+\]:\d+)$/.test(address)),
};

function list(isValid: (item: string) => boolean): Pick<Kind<string[]>, "isList" | "parse" | "format"> {
  return {
    isList: true,
    parse: (value) => {
      const all = value.split(",").map((item) => item.trim());
      return all.every(isValid) ? all : undefined;
    },
    format: (value) => value.join(),
  };
}

const switchWords = new Map([
  ["true", false],
  ["1", false],
  ["false", true],
  ["0", true],
]);

/** A flag without a value that switches something off: false if given, true where the environment takes it back. */
export const switchOff: Kind<boolean> = {
  expected: "true or false",
  parse: (value) => switchWords.get(value),
  format: () => "",
};

/** A flag without a value that turns something on: true if given, false where the environment says so. */
export const switchOn: Kind<boolean> = switchTo(true, false);

/** A flag without a value that chooses `on`; `off` where the environment says that it is not given. */
export function switchTo<Value>(on: Value, off: Value): Kind<Value> {
  return {
    expected: "true or false",
    parse: (value) => {
      const isOff = switchWords.get(value);
      return isOff === undefined ? undefined : isOff ? off : on;
    },
    format: () => "",
  };
}

/** The words on and off. The placeholder has no `|`, which would end a table cell in Markdown. */
export const onOff: Kind<boolean> = {
  placeholder: "<switch>",
  expected: "on or off",
  parse: (value) => (value === "on" ? true : value === "off" ? false : undefined),
  format: (value) => (value ? "on" : "off"),
};

/** A time such as `10s`, in milliseconds. A number without a unit could be any, so only 0 is one. */
export function duration(fromMs = 0): Kind<number> {
  const units = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
  return {
    placeholder: "<time>",
    expected: `a time with its unit, such as 500ms, 10s or 2m${fromMs > 0 ? "" : ", or 0"}`,
    parse: (value) => within(value === "0" ? 0 : measure(value, units), fromMs, maxInt32),
    format: (ms) => inLargestUnit(ms, units),
  };
}

const binaryUnits = { GiB: 2 ** 30, MiB: 2 ** 20, KiB: 2 ** 10, GB: 1e9, MB: 1e6, KB: 1e3, B: 1 };

/** A size such as `4MiB`, in bytes; without a unit it is in bytes already. */
export function size(): Kind<number> {
  return {
    placeholder: "<size>",
    expected: "a size such as 4096, 16KiB or 4MiB, below 2GiB",
    parse: (value) => within(/^\d+$/.test(value) ? Number(value) : measure(value, binaryUnits), 1, maxInt32),
    format: (bytes) => inLargestUnit(bytes, binaryUnits),
  };
}

/** A size in whole megabytes of 10^6 bytes, such as `64MB`, as a number of them. */
export const megabytes: Kind<number> = {
  placeholder: "<size>",
  expected: "a size in whole MB, such as 64MB",
  parse: (value) => within((measure(value, binaryUnits) ?? 0) / 1e6, 1, maxInt32),
  format: (value) => `${value}MB`,
};

function within(value: number | undefined, from: number, to: number): number | undefined {
  return value !== undefined && Number.isInteger(value) && value >= from && value <= to ? value : undefined;
}

/** Reads a decimal number and its unit, without a space between them. */
function measure(value: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([A-Za-z]+)$/.exec(value) ?? [];
  const factor = Object.hasOwn(units, unit ?? "") ? units[unit as string] : undefined;
  return factor === undefined ? undefined : Number(number) * factor;
}

function inLargestUnit(value: number, units: Readonly<Record<string, number>>): string {
  const unit = Object.entries(units).find(([, factor]) => value % factor === 0 && value >= factor);
  return unit === undefined ? String(value) : `${value / unit[1]}${unit[0]}`;
}
