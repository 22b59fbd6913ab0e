// Every setting of the command, in one place: its flag, kind and words, and the option of `createServer` that it becomes.
// Help, README and errors are made from it; the environment variable follows from the flag, the default from the option.
import { DEFAULT_LISTEN_LIMITS, type ListenLimits } from "../listen/limits.js";
import { resolveOptions, type ServerOptions } from "../options.js";
import type { RestOptions } from "../transcode/transcoder.js";
import {
  choice,
  duration,
  type Kind,
  megabytes,
  names,
  onOff,
  size,
  switchOff,
  switchOn,
  text,
  wholeNumber,
} from "./setting-kinds.js";

export type Flag = `--${string}`;

/** One setting; its default is that of its option, unless it has one of its own. */
export interface Setting {
  readonly flag: Flag;
  readonly kind: Kind<unknown>;
  /** What it is for, in Markdown. */
  readonly text: string;
  readonly option?: keyof ServerOptions | `limits.${keyof ListenLimits}` | `rest.${keyof RestOptions}`;
  readonly default?: string;
}

/** Settings that belong together. */
export interface SettingGroup {
  readonly title: string;
  readonly settings: readonly Setting[];
}

const file = text("file");

/** In the order in which people look for them. */
export const settingGroups: readonly SettingGroup[] = [
  {
    title: "Address",
    settings: [
      {
        flag: "--host",
        kind: text("address"),
        option: "host",
        text: "address or name to listen on; `::` opens it to every machine, as a container needs",
      },
      {
        flag: "--port",
        kind: wholeNumber(0, 65_535),
        option: "port",
        text: "port to listen on; `0` takes a free one; without flag and variable, `PORT` counts",
      },
      { flag: "--path", kind: file, option: "path", text: "Unix socket to listen on, in the place of host and port" },
    ],
  },
  {
    title: "TLS",
    settings: [
      {
        flag: "--tls-cert",
        kind: file,
        text: "certificate, followed by its intermediates, PEM; the port then speaks TLS only",
      },
      { flag: "--tls-key", kind: file, text: "private key of the certificate, PEM" },
      {
        flag: "--tls-client-ca",
        kind: file,
        text: "authorities of client certificates, PEM; every caller then has to show one",
      },
    ],
  },
  {
    title: "Limits",
    settings: [
      {
        flag: "--max-message-size",
        kind: size(),
        option: "readMaxBytes",
        text: "the most that a caller's message may have, also after decompression",
      },
      {
        flag: "--max-message-elements",
        kind: wholeNumber(1),
        option: "readMaxElements",
        text: "maximum number of list items, map entries and submessages that one request message may decode to",
      },
      {
        flag: "--max-header-size",
        kind: size(),
        option: "limits.headerBytes",
        text: "the most that the head of a request may have",
      },
      {
        flag: "--max-headers",
        kind: wholeNumber(1),
        option: "limits.headerCount",
        text: "fields that the head of a request may have",
      },
      {
        flag: "--max-streams",
        kind: wholeNumber(1),
        option: "limits.streamsPerConnection",
        text: "calls at the same time on one connection: streams of HTTP/2, pipelined requests of HTTP/1.1",
      },
      {
        flag: "--max-timeout",
        kind: duration(1),
        option: "maxTimeoutMs",
        text: "the longest deadline that a caller may ask for",
      },
      {
        flag: "--handshake-timeout",
        kind: duration(1),
        option: "limits.openingMs",
        text: "time for each step before the first request: TLS handshake, first bytes, HTTP/2 settings",
      },
      {
        flag: "--headers-timeout",
        kind: duration(1),
        option: "limits.headersMs",
        text: "time for the head of an HTTP/1.1 request",
      },
      {
        flag: "--request-timeout",
        kind: duration(),
        option: "limits.requestMs",
        text: "time for an HTTP/1.1 request with its body; `0` is no limit",
      },
      {
        flag: "--keep-alive-timeout",
        kind: duration(),
        option: "limits.keepAliveMs",
        text: "time that an HTTP/1.1 connection may idle; `0` is no limit",
      },
      {
        flag: "--probe-after",
        kind: duration(1),
        option: "limits.probeMs",
        text: "silence after which a caller is asked whether it is still there; no answer in as long again cuts it off",
      },
      {
        flag: "--session-memory",
        kind: megabytes,
        option: "limits.sessionMemoryMb",
        text: "memory of Node's own for one HTTP/2 connection, without messages; over it new calls are refused",
      },
      {
        flag: "--max-unsent",
        kind: size(),
        option: "limits.unsentBytes",
        text: "response bytes that may wait for the client of one HTTP/2 connection; over it large responses are reset",
      },
      {
        flag: "--stall-timeout",
        kind: duration(),
        option: "limits.stallMs",
        text: "time after which a client that stops reading, or stops in the middle of a message, loses its call; `0` is no limit",
      },
      {
        flag: "--stream-window",
        kind: size(),
        option: "limits.streamWindowBytes",
        text: "what a caller may send ahead on one HTTP/2 stream",
      },
      {
        flag: "--connection-window",
        kind: size(),
        option: "limits.connectionWindowBytes",
        text: "what a caller may send ahead on one HTTP/2 connection",
      },
    ],
  },
  {
    title: "End",
    settings: [
      {
        flag: "--drain-delay",
        kind: duration(),
        option: "drainDelayMs",
        text: "time to go on accepting after health checks began to fail, for load balancers to notice",
      },
      {
        flag: "--drain-timeout",
        kind: duration(),
        option: "drainTimeoutMs",
        text: "time for calls under way to finish; then they get `unavailable`",
      },
    ],
  },
  {
    title: "Services",
    settings: [
      {
        flag: "--no-reflection",
        kind: switchOff,
        option: "reflection",
        text: "do not serve reflection: tools then need the proto files",
      },
      {
        flag: "--docs",
        kind: onOff,
        option: "docs",
        text: "`on` or `off`: whether to serve pages and `/openapi.json`, which tell how to call the services",
      },
      {
        flag: "--reference-lane",
        kind: switchOff,
        option: "fastLane",
        text: "serve calls with Connect's own handlers, to compare",
      },
    ],
  },
  {
    title: "REST",
    settings: [
      {
        flag: "--http-rules",
        kind: file,
        text: "service configuration, YAML or JSON, whose `http` rules replace the `google.api.http` options of their methods",
      },
      {
        flag: "--without-routes",
        kind: names("selectors", /^(?:\w+(?:\.\w+)*|(?:\w+\.)*\*)$/),
        option: "rest.withoutRoutes",
        text: "methods that get no route, with commas between: `package.Service.Method`, `package.Service.*`, or `*` for all",
      },
      {
        flag: "--ignore-parameters",
        kind: names("names", /^(?:\*|[^*]+\*?)$/),
        option: "rest.ignoredParameters",
        text: "query parameters to ignore where no field has their name, with commas between, such as `key,fields,utm_*`",
      },
      {
        flag: "--ignore-trailing-slash",
        kind: switchOn,
        option: "rest.ignoreTrailingSlash",
        text: "serve a path with a `/` at its end by the route without",
      },
      {
        flag: "--reject-unknown-fields",
        kind: switchOff,
        option: "rest.ignoreUnknownFields",
        text: "reject a JSON body with a field that the schema does not have",
      },
      {
        flag: "--no-patch-mask",
        kind: switchOff,
        option: "rest.patchMask",
        text: "do not make the FieldMask of a PATCH request from its body",
      },
      {
        flag: "--emit-defaults",
        kind: switchOn,
        option: "rest.emitDefaults",
        text: "write fields that have their default value",
      },
      {
        flag: "--proto-names",
        kind: switchOn,
        option: "rest.useProtoNames",
        text: "write fields under their names of the proto",
      },
      {
        flag: "--enums-as-numbers",
        kind: switchOn,
        option: "rest.enumsAsNumbers",
        text: "write enum values as numbers",
      },
    ],
  },
  {
    title: "Output",
    settings: [
      {
        flag: "--log-level",
        kind: choice("debug", "info", "warn", "error", "silent"),
        default: "info",
        text: "the least level that is logged; `info` has a line for every call",
      },
      {
        flag: "--log-format",
        kind: choice("auto", "json", "pretty"),
        default: "auto",
        text: "`auto` is `pretty` on a terminal and `json` elsewhere",
      },
      { flag: "--no-banner", kind: switchOff, text: "do not print the URL and the calls to try" },
    ],
  },
];

/** All settings, without their groups. */
export const settings: readonly Setting[] = settingGroups.flatMap((group) => group.settings);

/** `--tls-cert` → `MANYWIRE_TLS_CERT`. */
export function environmentName(flag: Flag): string {
  return `MANYWIRE_${flag.slice(2).toUpperCase().replaceAll("-", "_")}`;
}

const defaults = new Map<string, unknown>([
  ...Object.entries(resolveOptions({ routes: () => {} })),
  ...Object.entries(DEFAULT_LISTEN_LIMITS).map(([name, value]) => [`limits.${name}`, value] as const),
]);

/** What holds if the setting is not given, as one would write it; empty if that is nothing. */
export function defaultText({ option, kind, default: own = "" }: Setting): string {
  const value = option === undefined ? undefined : defaults.get(option);
  return value === undefined ? own : kind.format(value);
}
