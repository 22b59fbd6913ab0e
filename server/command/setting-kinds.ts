// Parses and formats the values of settings: times, sizes, numbers, names, origins.
import { originForms, parseOrigin } from "../operate/cors/origins.js";
import { isNetwork, networkForms } from "../operate/trust/networks.js";
import { maxInt32 } from "../whole-number.js";
import type { ValueSchema } from "./value-schema.js";

/** How one kind of setting is parsed and formatted. */
export interface Kind<Value> {
  /** Stands for the value in the help; absent where the flag alone says all. */
  readonly placeholder?: string;
  /** Completes "expected …". */
  readonly expected: string;
  /** Whether the flag may be repeated. Its texts are then joined by commas. */
  readonly isList?: boolean;
  /** Whether it is the path of a file or folder. */
  readonly isPath?: boolean;
  /** The values that a configuration file may have. Their text is what `parse` takes. */
  readonly schema: ValueSchema;
  /** Returns undefined for invalid text. */
  parse(text: string): Value | undefined;
  format(value: Value): string;
}

/** Any text that is not empty. */
export function text(placeholder: string): Kind<string> {
  return {
    placeholder: `<${placeholder}>`,
    expected: `${/^[aeiou]/.test(placeholder) ? "an" : "a"} ${placeholder}`,
    schema: { type: "string", minLength: 1 },
    parse: (value) => (value === "" ? undefined : value),
    format: (value) => value,
  };
}

/** The path of a file, or of what the placeholder says. */
export function path(placeholder = "file"): Kind<string> {
  return { ...text(placeholder), isPath: true };
}

/** One of a few words. */
export function choice<Name extends string>(...names: Name[]): Kind<Name> {
  return {
    placeholder: "<name>",
    expected: `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`,
    schema: { enum: names },
    parse: (value) => names.find((name) => name === value),
    format: (value) => value,
  };
}

/** Decimal digits only. */
export function wholeNumber(from: number, to: number = maxInt32): Kind<number> {
  return {
    placeholder: "<number>",
    expected: `a whole number from ${from} to ${to}`,
    schema: { type: "integer", minimum: from, maximum: to },
    parse: (value) => (/^\d+$/.test(value) ? within(Number(value), from, to) : undefined),
    format: String,
  };
}

/** A part of a whole, from 0 to 1. */
export const share: Kind<number> = {
  placeholder: "<share>",
  expected: "a number from 0 to 1, such as 0.01",
  schema: { type: "number", minimum: 0, maximum: 1 },
  parse: (value) => (/^(?:\d+(?:\.\d+)?|\d+e-\d+)$/.test(value) && Number(value) <= 1 ? Number(value) : undefined),
  format: String,
};

/** A number of processes, or `auto`: one for each processor that Node may use. */
export const processes: Kind<number | "auto"> = {
  placeholder: "<number>",
  expected: "a whole number from 1 to 1024, or auto",
  schema: { type: ["integer", "string"], minimum: 1, maximum: 1024, pattern: "^(?:auto|\\d+)$" },
  parse: (value) => (value === "auto" ? value : wholeNumber(1, 1024).parse(value)),
  format: String,
};

/** Names with commas between. @param pattern what each of them matches */
export function names(placeholder: string, pattern: RegExp): Kind<string[]> {
  return {
    placeholder: `<${placeholder}>`,
    expected: `${placeholder} with commas between`,
    ...list((name) => pattern.test(name), pattern),
  };
}

/** Origins of pages, as the option `cors.origins` has them. */
export const origins: Kind<string[]> = {
  placeholder: "<origin>",
  expected: originForms,
  ...list((origin) => parseOrigin(origin) !== undefined),
};

/** Networks of proxies, as the option `trustProxy` has them. */
export const networks: Kind<string[]> = {
  placeholder: "<network>",
  expected: networkForms,
  ...list(isNetwork),
};

const addressForms = "host:port, http://…, https://… or unix:/path";
const addressPattern = /^(?:https?:\/\/[^/?#]+\/?|unix:.+|[^/:]+:\d+|\[[\da-fA-F:]+\]:\d+)$/;

/** Addresses of gRPC servers, as the option `upstreams` has them. */
export const addresses: Kind<string[]> = {
  placeholder: "<address>",
  expected: addressForms,
  ...list((item) => addressPattern.test(item), addressPattern),
};

/** One of them. */
export const address: Kind<string> = {
  placeholder: "<address>",
  expected: addressForms,
  schema: { type: "string", pattern: addressPattern.source },
  parse: (value) => (addressPattern.test(value) ? value : undefined),
  format: (value) => value,
};

function list(
  isValid: (item: string) => boolean,
  pattern?: RegExp,
): Pick<Kind<string[]>, "isList" | "schema" | "parse" | "format"> {
  return {
    isList: true,
    schema: {
      type: "array",
      items: { type: "string", minLength: 1, ...(pattern && { pattern: pattern.source }) },
      minItems: 1,
    },
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
  schema: { type: "boolean" },
  parse: (value) => switchWords.get(value),
  format: () => "",
};

/** A flag without a value that turns something on: true if given, false where the environment says so. */
export const switchOn: Kind<boolean> = switchTo(true, false);

/** A flag without a value that chooses `on`; `off` where the environment says that it is not given. */
export function switchTo<Value>(on: Value, off: Value): Kind<Value> {
  return {
    expected: "true or false",
    schema: { type: "boolean" },
    parse: (value) => {
      const isOff = switchWords.get(value);
      return isOff === undefined ? undefined : isOff ? off : on;
    },
    format: () => "",
  };
}

/** A key of the configuration file that is true or false. */
export const trueOrFalse: Kind<boolean> = switchTo(true, false);

/** The words on and off. The placeholder has no `|`, which would end a table cell in Markdown. */
export const onOff: Kind<boolean> = {
  placeholder: "<switch>",
  expected: "on or off",
  schema: { enum: [true, false, "on", "off"] },
  parse: (value) => (["on", "true"].includes(value) ? true : ["off", "false"].includes(value) ? false : undefined),
  format: (value) => (value ? "on" : "off"),
};

/** A time such as `10s`, in milliseconds. A number without a unit could be any, so only 0 is one. */
export function duration(fromMs = 0): Kind<number> {
  const units = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
  const pattern = patternOf(units).source;
  return {
    placeholder: "<time>",
    expected: `a time with its unit, such as 500ms, 10s or 2m${fromMs > 0 ? "" : ", or 0"}`,
    schema: fromMs > 0 ? { type: "string", pattern } : { type: ["string", "integer"], pattern, minimum: 0, maximum: 0 },
    parse: (value) => within(value === "0" ? 0 : measure(value, units), fromMs, maxInt32),
    format: (ms) => inLargestUnit(ms, units),
  };
}

/** How many calls in how much time. */
export interface Rate {
  readonly points: number;
  readonly durationSeconds: number;
}

const secondsOf = { s: 1, m: 60, h: 3600 };
const ratePattern = /^(\d{1,9})\/(\d{0,5})(s|m|h)$/;

/** A number of calls and a time: `100/s`, `50/10s`. */
export const rate: Kind<Rate> = {
  placeholder: "<rate>",
  expected: "a number of calls and a time, such as 100/s, 50/10s or 1000/h",
  schema: { type: "string", pattern: ratePattern.source },
  parse: (value) => {
    const [, points, times, unit] = ratePattern.exec(value) ?? [];
    if (points === undefined || unit === undefined) return undefined;
    const durationSeconds = Number(times || 1) * secondsOf[unit as keyof typeof secondsOf];
    return Number(points) > 0 && durationSeconds > 0 ? { points: Number(points), durationSeconds } : undefined;
  },
  format: ({ points, durationSeconds }) => {
    const unit = Object.entries(secondsOf).find(([, seconds]) => seconds === durationSeconds)?.[0];
    return `${points}/${unit ?? `${durationSeconds}s`}`;
  },
};

const keyPattern = /^(?:peer|principal|header:[\w!#$%&'*+.^`|~-]+)$/;

/** What calls are counted by, as the option `key` of `rateLimit` has it. */
export const countedBy: Kind<"peer" | "principal" | { header: string }> = {
  placeholder: "<key>",
  expected: "peer, principal or the name of a header, such as header:x-api-key",
  schema: { type: "string", pattern: keyPattern.source },
  parse: (value) => {
    if (!keyPattern.test(value)) return undefined;
    return value === "peer" || value === "principal" ? value : { header: value.slice("header:".length) };
  },
  format: (value) => (typeof value === "string" ? value : `header:${value.header}`),
};

const binaryUnits = { GiB: 2 ** 30, MiB: 2 ** 20, KiB: 2 ** 10, GB: 1e9, MB: 1e6, KB: 1e3, B: 1 };

/** A size such as `4MiB`, in bytes; without a unit it is in bytes already. */
export function size(): Kind<number> {
  return {
    placeholder: "<size>",
    expected: "a size such as 4096, 16KiB or 4MiB, below 2GiB",
    schema: {
      type: ["integer", "string"],
      minimum: 1,
      maximum: maxInt32,
      pattern: `^\\d+$|${patternOf(binaryUnits).source}`,
    },
    parse: (value) => within(/^\d+$/.test(value) ? Number(value) : measure(value, binaryUnits), 1, maxInt32),
    format: (bytes) => inLargestUnit(bytes, binaryUnits),
  };
}

/** A size in whole megabytes of 10^6 bytes, such as `64MB`, as a number of them. */
export const megabytes: Kind<number> = {
  placeholder: "<size>",
  expected: "a size in whole MB, such as 64MB",
  schema: { type: "string", pattern: patternOf(binaryUnits).source },
  parse: (value) => within((measure(value, binaryUnits) ?? 0) / 1e6, 1, maxInt32),
  format: (value) => `${value}MB`,
};

function within(value: number | undefined, from: number, to: number): number | undefined {
  return value !== undefined && Number.isInteger(value) && value >= from && value <= to ? value : undefined;
}

/** Reads a decimal number and its unit, without a space between them. */
function measure(value: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, number, unit = ""] = patternOf(units).exec(value) ?? [];
  const factor = units[unit];
  return factor === undefined ? undefined : Number(number) * factor;
}

/** A decimal number and one of the units. */
function patternOf(units: Readonly<Record<string, number>>): RegExp {
  return new RegExp(`^(\\d+(?:\\.\\d+)?)(${Object.keys(units).join("|")})$`);
}

function inLargestUnit(value: number, units: Readonly<Record<string, number>>): string {
  const unit = Object.entries(units).find(([, factor]) => value % factor === 0 && value >= factor);
  return unit === undefined ? String(value) : `${value / unit[1]}${unit[0]}`;
}
