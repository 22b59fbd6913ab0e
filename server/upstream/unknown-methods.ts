// Passes calls of methods that no schema has to an upstream: those of gRPC and gRPC-Web, which need none.
import { create, createFileRegistry, type DescMethod, type DescService } from "@bufbuild/protobuf";
import { EmptySchema, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { ConnectRouterOptions, MethodImpl } from "@connectrpc/connect";
import type { CallEnvironment } from "../call/call.js";
import type { Method } from "../call/method.js";
import { createMethodTable } from "../call/table.js";
import type { Exchange } from "../http/exchange.js";
import { parseFormat } from "../rpc/format.js";
import { grpc } from "../rpc/grpc.js";
import { grpcWeb } from "../rpc/grpc-web.js";
import { createRoute } from "./channel.js";
import { createPipeSetup, type PipeSetup, servePipe } from "./pipe.js";
import { isOfTools } from "./tools.js";
import type { Upstream } from "./upstream.js";

export interface PassUnknown {
  /** The service that their methods have in reports. */
  readonly service: DescService;
  /** Serves a call that an upstream may know. Returns false, with nothing done, if a request is none. */
  serve(exchange: Exchange): boolean;
}

type PassedProtocol = "grpc" | "grpc-web";

/** Methods that are remembered. Callers choose the names. */
const methodsMax = 1000;
const methodPath = /^\/(?<service>[\w.]+)\/\w+$/;
const wires = { grpc, "grpc-web": grpcWeb };

/** Makes what passes calls to one upstream. `options` hold for them as they do for methods that are known. */
export function createPassUnknown(
  { channel, url }: Pick<Upstream, "channel" | "url">,
  options: ConnectRouterOptions,
  environment: CallEnvironment,
): PassUnknown {
  const target = { channel };
  const template = createTemplate(options);
  const setups = new Map<string, Record<PassedProtocol, PipeSetup>>();

  function setupsOf(path: string): Record<PassedProtocol, PipeSetup> {
    const known = setups.get(path);
    if (known !== undefined) return known;
    const method = { ...template, path, upstream: url };
    const route = createRoute(target, path, false);
    const setup = (name: PassedProtocol) => createPipeSetup(method, environment, wires[name], route);
    const made = { grpc: setup("grpc"), "grpc-web": setup("grpc-web") };
    if (setups.size === methodsMax) setups.clear();
    setups.set(path, made);
    return made;
  }

  function serve(exchange: Exchange): boolean {
    const { path, method, headers } = exchange;
    const service = methodPath.exec(path)?.groups?.service;
    const format = parseFormat(headers["content-type"]);
    if (method !== "POST" || service === undefined || isOfTools(service)) return false;
    if (format === undefined || format.protocol === "connect" || format.codec !== "proto") return false;
    if (!template.protocols.has(format.protocol)) return false;
    servePipe(setupsOf(path)[format.protocol], format, exchange);
    return true;
  }
  return { service: template.spec.method.parent, serve };
}

/** A method with any number of requests and replies, which stands for those that are not known. */
function createTemplate(options: ConnectRouterOptions): Method {
  const file = create(FileDescriptorProtoSchema, {
    name: "unknown.proto",
    syntax: "proto3",
    dependency: [EmptySchema.file.proto.name],
    service: [
      {
        name: "Unknown",
        method: [
          {
            name: "Unknown",
            inputType: `.${EmptySchema.typeName}`,
            outputType: `.${EmptySchema.typeName}`,
            clientStreaming: true,
            serverStreaming: true,
          },
        ],
      },
    ],
  });
  const [desc] = createFileRegistry(file, () => EmptySchema.file).getService("Unknown")?.methods ?? [];
  const { router, methods } = createMethodTable(options, notServed);
  if (desc !== undefined) router.rpc(desc, notServed as MethodImpl<DescMethod>);
  const [template] = methods.values();
  return template ?? notServed();
}

/** The method is only passed on: nothing calls its implementation. */
function notServed(): never {
  throw new Error("a method that is only passed on was called");
}
