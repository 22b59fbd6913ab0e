// Random requests: valid, odd and broken, out of the grammars of the protocols and with a few other words.

import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import type { Random } from "../../support/random.js";
import { type Codec, envelopes, inBase64, plainBody, queryMessage } from "./bodies.js";
import { Draft } from "./draft.js";

export const wires = ["grpc", "grpc-web", "grpc-web-text", "connect"] as const;
export type Wire = (typeof wires)[number];
export type Method = (typeof TestService)["methods"][number];

/** A request, as it is to be sent to every lane. */
export interface Sample {
  readonly httpVersion: "1.1" | "2";
  readonly verb: string;
  /** Path and query. */
  readonly target: string;
  /** In order; names may repeat. */
  readonly headers: readonly Field[];
  /** The body, cut. */
  readonly chunks: readonly Buffer[];
  /** Whether the length of the body is in the head. */
  readonly isSized: boolean;
  /** How many faults it has at most. */
  readonly faults: number;
}

export type Field = readonly [name: string, value: string];

/** What a request is about. */
interface Call {
  readonly wire: Wire;
  readonly method: Method;
  readonly codec: Codec;
  readonly encoding: string | undefined;
  /** Whether the message is the whole body. */
  readonly isPlain: boolean;
  /** Whether the handler works for longer than the deadline allows. */
  readonly isLate: boolean;
}

const headerValues = ["a", "", "a, b", "\u00e4\u00ff", "a;b=c", "AAA=", "AAA", "!!"];

export function makeSample(random: Random, wire: Wire): Sample {
  const draft = new Draft(random);
  const method = random.pick(TestService.methods);
  const isPlain = wire === "connect" && method.methodKind === "unary";
  const isGet = isPlain && method.name === "Get" && random.chance(0.5);
  const usual = random.pick([undefined, undefined, undefined, "gzip", "br", "identity"]);
  const encoding = draft.isOdd(0.04) ? random.pick(["x", "", "gzip, br", "GZIP"]) : usual;
  const call: Call = {
    wire,
    method,
    codec: random.pick(["proto", "json"]),
    encoding,
    isPlain,
    isLate: random.chance(0.005),
  };
  return {
    httpVersion: random.pick(["1.1", "2"]),
    verb: draft.isOdd(0.02) ? random.pick(["PUT", "DELETE", "OPTIONS", "GET"]) : isGet ? "GET" : "POST",
    target: `/${TestService.typeName}/${method.name}${isGet ? query(draft, call) : ""}`,
    headers: [
      ...contentType(draft, call, isGet),
      ...encodings(draft, call, isGet),
      ...timeout(draft, call),
      ...others(draft),
    ],
    chunks: isGet ? [] : draft.cut(bodyOf(draft, call)),
    isSized: random.chance(0.7),
    faults: draft.faults,
  };
}

function bodyOf(draft: Draft, call: Call): Buffer {
  const isMany = call.method.methodKind === "client_streaming" || call.method.methodKind === "bidi_streaming";
  const body = call.isPlain ? plainBody(draft, call) : envelopes(draft, { ...call, isMany });
  const odd = draft.isOdd(0.03, 0) ? draft.breakBytes(body) : body;
  return call.wire === "grpc-web-text" ? inBase64(draft, odd) : odd;
}

function contentType(draft: Draft, { wire, isPlain, codec }: Call, isGet: boolean): Field[] {
  const { random } = draft;
  if (isGet) return draft.isOdd(0.05) ? [["content-type", `application/${codec}`]] : [];
  const usual = isPlain ? `application/${codec}` : `application/${wire}+${codec}`;
  const isShort = codec === "proto" && wire !== "connect" && random.chance(0.4);
  const kind = random.next();
  if (kind < 0.85) return [["content-type", isShort ? `application/${wire}` : usual]];
  if (kind < 0.95) {
    const same = [
      usual.toUpperCase(),
      `${usual}; charset=utf-8`,
      `${usual};charset="UTF-8"`,
      `${usual} ; a=b`,
      `${usual};`,
    ];
    return [["content-type", random.pick(same)]];
  }
  draft.faults++;
  const wrong = [
    `${usual};charset=latin1`,
    `${usual}+x`,
    "application/connect+json",
    "application/json",
    "text/plain",
    "",
  ];
  return kind < 0.99 ? [["content-type", random.pick(wrong)]] : [];
}

function encodings(draft: Draft, { wire, isPlain, encoding }: Call, isGet: boolean): Field[] {
  const { random } = draft;
  const prefix = wire === "connect" ? (isPlain ? "" : "connect-") : "grpc-";
  const name = wire === "connect" ? `${prefix}content-encoding` : "grpc-encoding";
  const accepted = ["gzip", "br", "br, gzip", "gzip,br", "identity", "", "x, gzip", "gzip;q=0.5", "*", "GZIP"];
  const fields: Field[] = [];
  if (!isGet && encoding !== undefined && !draft.isOdd(0.04)) fields.push([name, encoding]);
  if (random.chance(0.4)) fields.push([`${prefix}accept-encoding`, random.pick(accepted)]);
  if (prefix !== "" && random.chance(0.05)) fields.push(["accept-encoding", random.pick(accepted)]);
  return fields;
}

function timeout(draft: Draft, { wire, isLate }: Call): Field[] {
  const { random } = draft;
  const isConnect = wire === "connect";
  const name = isConnect ? "connect-timeout-ms" : "grpc-timeout";
  if (isLate) return [[name, isConnect ? "100" : "100m"]];
  if (random.chance(0.7)) return [];
  if (random.chance(0.1)) return [[isConnect ? "grpc-timeout" : "connect-timeout-ms", "100000"]];
  if (!draft.isOdd(0.3)) return [[name, isConnect ? "100000" : random.pick(["100S", "100000m", "2M"])]];
  const odd = [
    "-1",
    "1.5",
    "x",
    "",
    "9999999999",
    "99999999999",
    "99999999H",
    "999999999S",
    "10 m",
    "100S,100S",
    "+5S",
    "5H",
  ];
  return [[name, random.pick(odd)]];
}

function others(draft: Draft): Field[] {
  const { random } = draft;
  const names = [
    "x-echo",
    "x-echo-a",
    "x-echo-bin",
    "x-echo-trailer",
    "x-echo-trailer-bin",
    "x-fail-a",
    "x-fail-b-bin",
  ];
  const fields = random.several(
    0,
    random.chance(0.5) ? 0 : 4,
    (): Field => [random.pick(names), random.pick(headerValues)],
  );
  if (random.chance(0.2))
    fields.push([
      random.pick(["x-other", "cookie", "accept", "x-fail-content-type", "x-fail-grpc-status"]),
      random.pick(headerValues),
    ]);
  // Servers that ask for the version take its absence for a fault.
  const version = random.next();
  if (version < 0.7) fields.push(["connect-protocol-version", "1"]);
  else draft.faults++;
  if (version > 0.95) fields.push(["connect-protocol-version", random.pick(["2", "", "1, 1"])]);
  if (random.chance(0.1)) fields.push(["user-agent", "lanes/1.0"]);
  return fields;
}

function query(draft: Draft, call: Call): string {
  const { random } = draft;
  const { codec, encoding } = call;
  const bytes = queryMessage(draft, call);
  const isBase64 = codec === "proto" || encoding !== undefined || random.chance(0.3);
  const spelling = random.chance(0.7) ? "base64url" : "base64";
  const base64 = draft.isOdd(0.15) ? "!!!" : bytes.toString(spelling);
  const message = isBase64 ? base64 : bytes.toString();
  const fields: Field[] = [
    ["connect", draft.isOdd(0.05) ? "v2" : "v1"],
    ["encoding", codec],
    ["message", message],
  ];
  if (isBase64 && !draft.isOdd(0.03)) fields.push(["base64", draft.isOdd(0.03) ? "0" : "1"]);
  if (encoding !== undefined) fields.push(["compression", encoding]);
  if (draft.isOdd(0.05)) fields.splice(random.below(fields.length), 1);
  if (draft.isOdd(0.05))
    fields.splice(
      random.below(fields.length),
      0,
      random.pick<Field>([
        ["encoding", "xml"],
        ["message", "{}"],
        ["base64", "1"],
        ["a", "b"],
      ]),
    );
  const encode = random.chance(0.9)
    ? encodeURIComponent
    : (value: string) => value.replace(/[^!-~]|[#%&+]/gu, encodeURIComponent);
  return `?${fields.map(([name, value]) => `${name}=${encode(value)}`).join("&")}`;
}
