// The keys of the configuration file of `manywire proxy`, in one table: by it the file is read, its JSON schema is written,
// and the docs are.
import type { UpstreamOptions } from "../upstream/options.js";
import {
  address,
  choice,
  countedBy,
  type Kind,
  names,
  path,
  rate,
  size,
  text,
  trueOrFalse,
  wholeNumber,
} from "./setting-kinds.js";
import { defaultText, type Flag, onlyFlags, type Setting, settings } from "./settings.js";

/** A key, and what its value may be. */
export interface Field {
  /** Description, in Markdown. */
  readonly text: string;
  readonly isRequired?: boolean;
  readonly shape: Shape;
}

export type Shape =
  /** `isInverted`: the flag says that something is off, and the key whether it is on. */
  | { readonly kind: "value"; readonly of: Kind<unknown>; readonly default?: string; readonly isInverted?: boolean }
  | ({ readonly kind: "mapping" } & Mapping)
  | { readonly kind: "list"; readonly item: Mapping; readonly expected: string }
  /** A mapping that the option takes as it is. */
  | { readonly kind: "data"; readonly expected: string };

export interface Mapping {
  readonly fields: Fields;
  /** Completes "expected …". */
  readonly expected: string;
}

export type Fields = Readonly<Record<string, Field>>;

const value = (of: Kind<unknown>, text: string): Field => ({ text, shape: { kind: "value", of } });

const tlsFields: Fields = {
  ca: value(path(), "CA certificates (PEM) that the server is verified with; otherwise those of Node"),
  cert: value(path(), "certificate (PEM) to show to the server; needs `key`"),
  key: value(path(), "private key of the certificate (PEM)"),
  serverName: value(text("name"), "name that the server's certificate has to have; otherwise the host of `url`"),
};

/** Each option of an upstream, but `descriptorSet`, which files give, and `schemaCache`, which is one setting for all. */
type UpstreamKey = Exclude<keyof UpstreamOptions, "descriptorSet" | "schemaCache"> | "proto" | "schema";

/** The keys of one upstream. */
export const upstreamFields: Readonly<Record<UpstreamKey, Field>> = {
  url: {
    ...value(address, "where the gRPC server listens: `localhost:50051`, `https://api.internal` or `unix:/path`"),
    isRequired: true,
  },
  tls: {
    text: "with an `https:` address: what to trust, and what to show",
    shape: { kind: "mapping", fields: tlsFields, expected: "a mapping such as { ca: ca.pem }" },
  },
  proto: value(
    path("folder"),
    "folder of its proto files, such as of a server without reflection; needs buf, protoc or Python's grpcio-tools",
  ),
  schema: value(path(), "its files as a FileDescriptorSet, such as `buf build -o api.binpb` writes"),
  reflection: value(
    trueOrFalse,
    "whether services that only its reflection lists are served, too; `false` needs `proto` or `schema`",
  ),
  services: value(names("names", /^\w+(?:\.\w+)*$/), "full names of the services to serve; otherwise all"),
  readMaxBytes: value(size(), "maximum size of a response message, after decompression; otherwise 4 MiB"),
  passUnknownMethods: value(
    trueOrFalse,
    "whether gRPC calls of methods that no schema has go on to it, too; only with a single upstream, without `services`",
  ),
  addresses: value(
    names("addresses", /^(?:unix:.+|(?:\[[\da-fA-F:.]+\]|[^:[\]/?#@\s]+)(?::\d{1,5})?)$/),
    "where the servers are, if not at the host of `url`: `host:port`, `host` or `unix:/path`",
  ),
  loadBalancing: value(
    choice("pick_first", "round_robin", "least_pending"),
    "which address gets a call: the first that can be reached (otherwise), the next, or the one with the fewest open streams",
  ),
  maxConnections: value(wholeNumber(1), "connections to each address at most; otherwise 10"),
  connectTimeoutMs: value(wholeNumber(1), "milliseconds for a connection with its handshake; otherwise 20000"),
  maxPendingCalls: value(wholeNumber(1), "calls that wait for a connection at most; otherwise 10000"),
  serviceConfig: {
    text: "gRPC's service config: timeouts, retries and waiting by method, and load balancing",
    shape: { kind: "data", expected: "a mapping such as { methodConfig: [{ name: [{}], timeout: 5s }] }" },
  },
};

/** The keys of one rate limit. */
const rateLimitFields: Fields = {
  limit: { ...value(rate, "calls and a time, such as `100/s`"), isRequired: true },
  methods: value(
    names("methods", /^(?:\*|\w+(?:\.\w+)*\/(?:\*|\w+))$/),
    "methods that are limited, together: `package.Service/Method`, `package.Service/*`; otherwise all",
  ),
  key: value(
    countedBy,
    "what calls are counted by: `peer`, the address of the client (otherwise), `principal` or `header:x-api-key`",
  ),
};

/** All keys: the settings of the command, `upstreams` and `rate-limits`. */
const configFields: Fields = {
  $schema: value(text("URL"), "JSON schema of this file, for editors"),
  upstreams: {
    text: "gRPC servers to forward calls to; of two with one service, the first serves it",
    isRequired: true,
    shape: {
      kind: "list",
      item: { fields: upstreamFields, expected: "a mapping such as { url: localhost:50051 }" },
      expected: "a list such as [{ url: localhost:50051 }]",
    },
  },
  "rate-limits": {
    text: "limits by method or by other keys than the address; a call has to keep to all that are for it",
    shape: {
      kind: "list",
      item: { fields: rateLimitFields, expected: "a mapping such as { limit: 100/s }" },
      expected: "a list such as [{ limit: 100/s, methods: [acme.shop.v1.Orders/*] }]",
    },
  },
  auth: {
    text: "who may call: `jwt`, `apiKeys` and `mtls` with the options of the interceptors, such as `rules` for methods",
    shape: { kind: "data", expected: "a mapping such as { jwt: { issuer: …, audience: …, jwks: … } }" },
  },
  ...Object.fromEntries(
    settings.filter(({ flag }) => !onlyFlags.includes(flag)).map((each) => [keyOf(each.flag), toField(each)]),
  ),
};

/** The whole file. */
export const configMapping: Mapping = {
  fields: configFields,
  expected: "a mapping such as { upstreams: [{ url: localhost:50051 }] }",
};

/** The key of a flag: `--port` is `port`, and `--no-banner` is `banner`. */
export function keyOf(flag: Flag): string {
  return flag.replace(/^--(?:no-)?/, "");
}

function toField(setting: Setting): Field {
  const { flag, kind, text } = setting;
  const isInverted = flag.startsWith("--no-");
  const otherwise = isInverted ? "true" : defaultText(setting);
  const shape = { kind: "value", of: kind, isInverted, ...(otherwise !== "" && { default: otherwise }) } as const;
  return { text: isInverted ? `\`false\`: ${text}` : text, shape };
}
