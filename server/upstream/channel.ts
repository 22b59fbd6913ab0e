// The ways to call an upstream: by messages, or by the bytes of their envelopes.
import type { Transport } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { requestHeaderWithCompression } from "@connectrpc/connect/protocol-grpc";
import type { SettingsOf } from "../../client/call-settings.js";
import type { RequestSender } from "../../client/http2/request.js";
import { requestFields } from "../../client/http2/request-fields.js";
import { PreparedFields } from "../http2/hpack/encoder.js";
import type { Encodings } from "./encodings.js";

/** What calls of all methods of an upstream share. */
export interface Channel {
  /** For calls whose messages are decoded. */
  readonly messages: Transport;
  /** For calls of our own, to reflection and health, which no service config is for. */
  readonly ownCalls: Transport;
  /** For calls whose messages pass as they come. */
  readonly requests: RequestSender;
  /** The URL that method paths are added to. */
  readonly baseUrl: string;
  /** Maximum size of a reply message in bytes. */
  readonly readMaxBytes: number;
  readonly encodings: Encodings;
  /** How calls of its methods are made. */
  readonly settingsOf: SettingsOf;
  /** Called when the upstream says that it does not have a method. */
  readonly onUnimplemented: () => void;
}

/** Where calls go on, and how. */
export interface ForwardTarget {
  readonly channel: Channel;
}

/** Where calls of one method go. */
export interface Route extends ForwardTarget {
  /** The fields that all its requests have. */
  readonly fields: PreparedFields;
  /** Whether its calls wait while the upstream cannot be reached. */
  readonly waitsForReady: boolean;
}

/**
 * @param path `/package.Service/Method`
 * @param accepted compressions of replies that all its calls accept
 */
export function createRoute(
  target: ForwardTarget,
  path: string,
  waitsForReady: boolean,
  accepted: Compression[] = [],
): Route {
  const url = new URL(target.channel.baseUrl.replace(/\/*$/, path));
  const headers = requestHeaderWithCompression(true, undefined, undefined, accepted, null);
  return { ...target, fields: new PreparedFields(requestFields(url, "POST", headers)), waitsForReady };
}
