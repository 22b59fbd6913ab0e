// Brings a response into a form in which what a client cannot tell apart is equal.
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { decodeBase64 } from "./read.js";
import type { Pair, Taken } from "./send.js";

/** What a client can tell of a response. */
export interface Visible {
  readonly status: number;
  /** "name: value", sorted; a name that repeats is one entry, its values in order. Without the date. */
  readonly headers: readonly string[];
  readonly trailers: readonly string[];
  /** The body, or its envelopes, decompressed and with the fields of their metadata sorted. */
  readonly body: readonly string[];
  /** "whole", or why it is not. */
  readonly end: string;
  /** The error that it says, in whatever place its protocol has for it. */
  readonly error: { readonly code: string; readonly message: string } | undefined;
}

export function toVisible({ status, headers, trailers, body, end }: Taken): Visible {
  const contentType = firstOf(headers, "content-type") ?? "";
  const encoding = headers.find(([name]) => /^(grpc-encoding|(connect-)?content-encoding)$/.test(name))?.[1];
  const isEnveloped = /^application\/(grpc|connect\+)/.test(contentType) && status === 200;
  const bytes = contentType.startsWith("application/grpc-web-text") ? decodeBase64(body) : body;
  const parts = isEnveloped && end === "whole" ? envelopesOf(bytes, encoding) : [textOf(bytes, encoding)];
  return {
    status,
    headers: toFields(headers.filter(([name]) => name !== "date")),
    trailers: toFields(trailers),
    body: parts,
    end,
    error: findError(headers, trailers, parts.at(-1) ?? "", status),
  };
}

const firstOf = (pairs: readonly Pair[], name: string) => pairs.find(([known]) => known === name)?.[1];

function toFields(pairs: readonly Pair[]): string[] {
  const values = new Map<string, string[]>();
  for (const [name, value] of pairs) values.set(name, [...(values.get(name) ?? []), value]);
  return [...values].map(([name, all]) => `${name}: ${all.join(" | ")}`).sort();
}

function envelopesOf(bytes: Buffer, encoding: string | undefined): string[] {
  const found: string[] = [];
  let rest = bytes;
  while (rest.length >= 5) {
    const flags = rest.readUInt8(0);
    const end = 5 + rest.readUInt32BE(1);
    const data = textOf(rest.subarray(5, end), (flags & 1) === 1 ? encoding : undefined);
    found.push(`${flags}${end > rest.length ? " cut" : ""} ${sortEnd(flags, data)}`);
    rest = rest.subarray(Math.min(end, rest.length));
  }
  return rest.length === 0 ? found : [...found, `rest ${rest.toString("hex")}`];
}

/** The last envelope of Connect is JSON with metadata in any order, that of gRPC-Web lines in any order. */
function sortEnd(flags: number, data: string): string {
  if ((flags & 0x80) !== 0) return data.split("\r\n").sort().join("\r\n");
  if ((flags & 2) === 0) return data;
  const { metadata, ...rest } = JSON.parse(data) as { metadata?: Record<string, string[]> };
  return JSON.stringify({ ...rest, metadata: metadata && Object.entries(metadata).sort() });
}

function textOf(bytes: Buffer, encoding: string | undefined): string {
  const unpack = { gzip: gunzipSync, br: brotliDecompressSync }[encoding ?? ""];
  return (unpack?.(bytes) ?? bytes).toString("latin1");
}

function findError(
  headers: readonly Pair[],
  trailers: readonly Pair[],
  last: string,
  status: number,
): Visible["error"] {
  const grpc =
    firstOf(trailers, "grpc-status") ?? firstOf(headers, "grpc-status") ?? /grpc-status: (\w+)/.exec(last)?.[1];
  if (grpc === "0") return undefined;
  const said =
    firstOf(trailers, "grpc-message") ?? firstOf(headers, "grpc-message") ?? /grpc-message: (.*)/.exec(last)?.[1];
  if (grpc !== undefined) return { code: grpc, message: decodeURIComponent(said ?? "") };
  const json = /^(?:2 \{"error":|3 \{"error":)?\{"code":"(\w+)"(?:,"message":("(?:[^"\\]|\\.)*"))?/.exec(last);
  if (json !== null) return { code: json[1] as string, message: JSON.parse(json[2] ?? '""') as string };
  return status === 200 ? undefined : { code: String(status), message: last };
}
