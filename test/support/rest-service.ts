// What the tests of REST over HTTP share: a server with the REST test service, whose methods echo their requests.
import { create } from "@bufbuild/protobuf";
import type { ConnectRouterOptions, ServiceImpl } from "@connectrpc/connect";
import { EverythingSchema } from "../gen/manywire/test/rest/v1/everything_pb.js";
import { RestService } from "../gen/manywire/test/rest/v1/rest_pb.js";
import { type HttpVersion, type RawAnswer, type RawRequest, request } from "./http.js";
import { startServer, type TestServer, type TestServerOptions } from "./server.js";

export type RestServiceImpl = Partial<ServiceImpl<typeof RestService>>;

/** Both versions of HTTP. */
export const versions: readonly HttpVersion[] = ["1.1", "2"];

const echo = <T>(message: T): T => message;

/** Each method responds with what it was sent; a server stream as often as `number` says, a client stream with the `words` of all. */
export const echoing: RestServiceImpl = {
  whole: echo,
  field: echo,
  query: echo,
  path: echo,
  template: echo,
  custom: echo,
  raw: echo,
  file: echo,
  async *serverStream(message) {
    for (let index = 0n; index < message.number; index++) yield create(EverythingSchema, { ...message, number: index });
  },
  async clientStream(messages) {
    const words: string[] = [];
    for await (const { text, node } of messages) words.push(`${text}${node?.text ?? ""}`);
    return { words };
  },
  async *bidiStream(messages) {
    for await (const message of messages) yield message;
  },
  async *download({ name }) {
    for (const [index, text] of name.split("/").entries()) {
      yield { contentType: index === 0 ? "text/plain" : "", data: Buffer.from(text) };
    }
  },
};

/** Starts a server with the test service of REST besides the other. */
export function startRestServer(
  implementation: RestServiceImpl = {},
  options: TestServerOptions = {},
  serviceOptions?: ConnectRouterOptions,
): Promise<TestServer> {
  const { routes, ...rest } = options;
  return startServer({
    ...rest,
    routes(router) {
      router.service(RestService, { ...echoing, ...implementation }, serviceOptions);
      routes?.(router);
    },
  });
}

/** Sends a request whose body is JSON, where it has one. */
export function send(url: string, options: RawRequest): Promise<RawAnswer> {
  const type = options.body === undefined ? {} : { "content-type": "application/json" };
  return request(url, {
    method: options.body === undefined ? "GET" : "POST",
    ...options,
    headers: { ...type, ...options.headers },
  });
}

/** The body of a response, as JSON. */
export function json({ text }: RawAnswer): unknown {
  return JSON.parse(text);
}
