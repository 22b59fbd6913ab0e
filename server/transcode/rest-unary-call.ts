// A unary method by a route: the request from path, query and body, the reply as JSON or as bytes of a google.api.HttpBody.
import type { OutgoingHttpHeaders } from "node:http";
import type { Message } from "@bufbuild/protobuf";
import { toNodeHeaders } from "../call/headers.js";
import type { EncodedBody } from "../rest/response.js";
import { RestCall } from "./rest-call.js";

/** One such call. */
export class RestUnaryCall extends RestCall {
  protected onBody(body: Uint8Array): void {
    const message = this.shape.decode({ ...this.match, contentType: this.contentType, body });
    this.isReading = false;
    this.invoke(message, this.#reply);
  }

  readonly #reply = (output: Message): void => {
    const encoded = this.shape.encode(output);
    this.settle(undefined);
    this.write(() => this.respond(200, this.#headers(encoded), bodyBytes(encoded)));
  };

  #headers(encoded: EncodedBody): OutgoingHttpHeaders {
    const { responseHeader } = this.context;
    const headers: OutgoingHttpHeaders = responseHeader.isTouched
      ? toNodeHeaders(responseHeader)
      : { "content-type": "application/json" };
    return encoded.kind === "json" ? headers : withBodyType(headers, encoded.contentType);
  }
}

/** The bytes of an encoded body. */
export function bodyBytes(encoded: EncodedBody): Uint8Array {
  return encoded.kind === "json" ? Buffer.from(encoded.text) : encoded.data;
}

/** Headers of bytes whose type the handler names, and nobody should guess. */
export function withBodyType(headers: OutgoingHttpHeaders, contentType: string | undefined): OutgoingHttpHeaders {
  delete headers["content-type"];
  if (contentType !== undefined) headers["content-type"] = contentType;
  headers["x-content-type-options"] = "nosniff";
  return headers;
}
