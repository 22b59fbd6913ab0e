// Writes docs/options.md: the settings of the command, and the options of `createServer` and `createTransport` from the
// docstrings of their interfaces.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ConnectRouterOptions } from "@connectrpc/connect";
import { type Fields, upstreamFields } from "../../server/command/config-fields.js";
import { defaultText, environmentName, type Setting, settingGroups, settings } from "../../server/command/settings.js";
import { root } from "../support/stage.js";

/** One option of an interface. */
interface Option {
  readonly name: string;
  readonly type: string;
  readonly text: string;
  readonly default: string;
}

/** The options that an interface declares by itself, in their order. */
function listOptions(file: string, name: string): Option[] {
  const source = readFileSync(join(root, file), "utf8");
  const body = new RegExp(`^export interface ${name}\\b[^{]*\\{\\n(.*?)^\\}`, "ms").exec(source)?.[1];
  if (body === undefined) throw new Error(`${file}: expected an interface ${name}, found none`);
  const member = /^ {2}(?:\/\*\*(?<text>.*?)\*\/\s+)?(?:readonly )?(?<name>\w+)\??: (?<type>.*?);$/gms;
  return [...body.matchAll(member)].map(({ groups }) => toOption(groups as Record<"name" | "type" | "text", string>));
}

function toOption({ name, type, text = "" }: Record<"name" | "type" | "text", string>): Option {
  const sentence = text.replaceAll(/\s*\n\s*\*?\s*/g, " ").trim();
  const [, meaning = "", otherwise = "", rest = ""] =
    /^(.*?)(?: ?Default:? ([^.]*(?:\.\S[^.]*)*)\.?(.*))?$/s.exec(sentence) ?? [];
  return {
    name,
    type: type
      .replaceAll(/\s+/g, " ")
      .replace(/ \| undefined$/, "")
      .replace(/^OrUndefined<(.*)>$/, "$1"),
    text: meaning + rest,
    default: otherwise,
  };
}

/** Options of Connect's routers, which have docstrings of their own. */
const connectOptions: Required<{ [Name in keyof ConnectRouterOptions]: string }> = {
  acceptCompression: "Encodings for requests and responses. Default: gzip and Brotli.",
  binaryOptions: "Options for reading and writing the binary format, as protobuf-es has them.",
  compressMinBytes: "Minimum size of a message in bytes from which it is compressed. Default: 1400.",
  connect: "Whether to serve the Connect protocol. Default: true.",
  grpc: "Whether to serve gRPC. Default: true.",
  grpcWeb: "Whether to serve gRPC-Web. Default: true.",
  interceptors: "Interceptors around every call of every service; the first one is the outermost.",
  jsonOptions: "Options for reading and writing JSON, as protobuf-es has them.",
  maxTimeoutMs: "Longest deadline in milliseconds that a client may ask for. A longer one is an error.",
  readMaxBytes: "See above.",
  requireConnectProtocolHeader: "Whether a Connect request needs `Connect-Protocol-Version: 1`. Default: false.",
  shutdownSignal: "When it is aborted, calls in progress end with `unavailable`.",
  writeMaxBytes: "Maximum size of a response message in bytes. Default: 4 GiB.",
};

const poolOptions = listOptions("client/http2/pool-options.ts", "PoolOptions");

export function writeOptionsPage(): string {
  return `# Options

The command takes flags, or environment variables where a flag is not given. \`createServer\` and \`createTransport\` take
options. This page is generated from the settings of the command and from the docstrings of the options.

## The command

A time has a unit (\`500ms\`, \`10s\`, \`2m\`). A size may have one (\`65536\`, \`64KiB\`, \`4MiB\`). A switch in the environment is
\`true\` or \`false\`. An invalid flag or variable prints one error line and exits with code 2.

${settingsTable()}

## The file of manywire proxy

\`manywire proxy --config FILE\` takes YAML or JSON with \`upstreams\`, a list. The other keys are the flags above without their
dashes; \`--no-reflection\` is \`reflection: false\`. The schema for editors is \`manywire/proxy.schema.json\`.

${upstreamTable()}

## createServer

${optionsTable("", listOptions("server/options.ts", "ServerOptions"))}

## createServer: limits

Options of \`limits\`, in the unit that ends their name.

${optionsTable("limits.", [
  ...listOptions("server/operate/overload/limits.ts", "CallLimits"),
  ...listOptions("server/listen/limits.ts", "ListenLimits"),
])}

## createServer: rest

${optionsTable("rest.", restOptions())}

## createServer: docs

${optionsTable("docs.", listOptions("server/openapi/options.ts", "DocsOptions"))}

## createServer: tls

${optionsTable("tls.", listOptions("server/listen/tls.ts", "TlsOptions"))}

## createServer: options of Connect

They mean the same as in Connect's routers. Options of one service, given to \`router.service\`, add to those of the server.

${optionsTable("", inheritedOptions())}

## createServer: upstreams

Options of each item of \`upstreams\`.

${optionsTable("upstreams.", [...listOptions("server/upstream/options.ts", "UpstreamOptions"), ...poolOptions])}

## createTransport

${optionsTable("", [...listOptions("client/transport.ts", "TransportOptions"), ...poolOptions])}

Connect's own options, such as \`interceptors\`, \`useBinaryFormat\`, \`useHttpGet\`, \`acceptCompression\`, \`sendCompression\`,
\`jsonOptions\`, \`binaryOptions\` and \`pingIntervalMs\`, have the same names and defaults as in
[connect-node](https://connectrpc.com/docs/node/using-clients).
`;
}

function restOptions(): Option[] {
  return [
    ...listOptions("server/transcode/transcoder.ts", "RestOptions"),
    ...listOptions("server/rest/read/request.ts", "DecodeOptions"),
    ...listOptions("server/rest/read/query.ts", "QueryOptions"),
    ...listOptions("server/rest/response.ts", "EncodeOptions").filter(({ name }) => name !== "registry"),
    ...listOptions("server/rest/route/routes.ts", "RoutingOptions"),
    ...listOptions("server/rest/route/rules.ts", "RuleOptions"),
  ];
}

function inheritedOptions(): Option[] {
  return Object.entries(connectOptions)
    .filter(([name]) => name !== "readMaxBytes")
    .map(([name, text]) => toOption({ name, type: "", text }));
}

const code = (text: string) => (text === "" ? "" : `\`${text.replaceAll("|", "\\|")}\``);

/** One row of a table per option. */
function optionsTable(prefix: string, options: readonly Option[]): string {
  const hasTypes = options.some(({ type }) => type !== "");
  const columns = hasTypes
    ? ["option", "type", "default", "meaning", "flag"]
    : ["option", "default", "meaning", "flag"];
  const rows = options.map(({ name, type, text, default: otherwise }) => {
    const setting = settings.find(({ option }) => option === prefix + name);
    const flag = setting === undefined ? "" : code(setting.flag);
    const known = setting === undefined ? "" : defaultText(setting);
    const cells = [code(prefix + name), code(type), known === "" ? otherwise : code(known), text, flag];
    return hasTypes ? cells : cells.toSpliced(1, 1);
  });
  return table(columns, rows);
}

function settingsTable(): string {
  const row = (setting: Setting) => {
    const { flag, kind, option, text } = setting;
    const flags = kind.placeholder === undefined ? flag : `${flag} ${kind.placeholder}`;
    return [`${code(flags)}<br>${code(environmentName(flag))}`, code(option ?? ""), code(defaultText(setting)), text];
  };
  const groups = settingGroups.flatMap(({ title, settings }) => [[`**${title}**`, "", "", ""], ...settings.map(row)]);
  return table(["flag, variable", "option", "default", "meaning"], groups);
}

/** The keys of one upstream in the configuration file. */
function upstreamTable(): string {
  const rows = (prefix: string, fields: Fields): string[][] =>
    Object.entries(fields).flatMap(([key, { text, shape }]) =>
      shape.kind === "mapping"
        ? [[code(prefix + key), text], ...rows(`${prefix}${key}.`, shape.fields)]
        : [[code(prefix + key), text]],
    );
  return table(["key of an upstream", "meaning"], rows("", upstreamFields));
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(columns), `|${columns.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}
