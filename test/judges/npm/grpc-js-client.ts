// Calls any method with @grpc/grpc-js, and gathers all that came back.
import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import {
  type CallOptions,
  Client,
  type ClientOptions,
  credentials,
  Metadata,
  type requestCallback,
  type StatusObject,
} from "@grpc/grpc-js";
import { onTestFinished } from "vitest";
import { authority, clientIdentity, type Identity } from "../../support/certificates.js";
import type { Target } from "../../support/foreign-target.js";

/** A response of any kind, an error too. */
export interface Answer<O extends DescMessage> {
  replies: MessageShape<O>[];
  header: Metadata | undefined;
  status: StatusObject;
}

/** What can be done with a call of any kind. */
export interface Handle {
  cancel(): void;
  pause?(): void;
  resume?(): void;
}

interface CallChoices {
  metadata?: Metadata;
  options?: CallOptions;
  /** Is given the call when it has been started. */
  onStart?: (call: Handle) => void;
  /** Called with each reply of a stream, and the number of replies so far. */
  onReply?: (call: Handle, count: number) => void;
}

type Method<I extends DescMessage, O extends DescMessage> = DescMethod & { input: I; output: O };

/** A client that is closed after the test. */
export function openClient(target: Target, options: ClientOptions = {}, identity?: Identity): Client {
  return openClientTo(target.url.startsWith("unix:") ? target.url : target.authority, {
    isSecure: target.url.startsWith("https:"),
    options,
    identity,
  });
}

/** @param identity the client's certificate; default: the one that our authority signed */
export function openClientTo(
  address: string,
  choices: { isSecure?: boolean; options?: ClientOptions; identity?: Identity | undefined } = {},
): Client {
  const { isSecure = false, options, identity = clientIdentity } = choices;
  const security = isSecure
    ? credentials.createSsl(authority, identity.key, identity.cert)
    : credentials.createInsecure();
  // Without a name Node warns that an IP address is none.
  const client = new Client(address, security, { "grpc.ssl_target_name_override": "localhost", ...options });
  onTestFinished(() => client.close());
  return client;
}

/** Resolves with what came back; also for an error. `requests` are sent at once, one for methods that take one. */
export function call<I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: Method<I, O>,
  requests: MessageInitShape<I>[],
  { metadata = new Metadata(), options = {}, onStart, onReply }: CallChoices = {},
): Promise<Answer<O>> {
  return new Promise((resolve) => {
    const replies: MessageShape<O>[] = [];
    let header: Metadata | undefined;
    const keep: requestCallback<MessageShape<O>> = (_, reply) => {
      if (reply !== undefined) replies.push(reply);
    };
    const started = start(client, method, requests, metadata, options, keep);
    onStart?.(started);
    started.on("metadata", (received: Metadata) => {
      header = received;
    });
    started.on("data", (reply: MessageShape<O>) => {
      replies.push(reply);
      onReply?.(started, replies.length);
    });
    started.on("error", () => {}); // The status tells it too.
    started.on("status", (status: StatusObject) => resolve({ replies, header, status }));
  });
}

function start<I extends DescMessage, O extends DescMessage>(
  client: Client,
  { parent, name, methodKind, input, output }: Method<I, O>,
  requests: MessageInitShape<I>[],
  ...rest: [Metadata, CallOptions, requestCallback<MessageShape<O>>]
): Handle & NodeJS.EventEmitter {
  const [metadata, options, callback] = rest;
  const path = `/${parent.typeName}/${name}`;
  const serialize = (message: MessageShape<I>) => Buffer.from(toBinary(input, message));
  const deserialize = (bytes: Buffer) => fromBinary(output, bytes);
  const messages = requests.map((request) => create(input, request));
  const only = messages[0] as MessageShape<I>;
  if (methodKind === "unary") {
    return client.makeUnaryRequest(path, serialize, deserialize, only, metadata, options, callback);
  }
  if (methodKind === "server_streaming") {
    return client.makeServerStreamRequest(path, serialize, deserialize, only, metadata, options);
  }
  const writable =
    methodKind === "client_streaming"
      ? client.makeClientStreamRequest(path, serialize, deserialize, metadata, options, callback)
      : client.makeBidiStreamRequest(path, serialize, deserialize, metadata, options);
  for (const message of messages) writable.write(message);
  writable.end();
  return writable;
}
