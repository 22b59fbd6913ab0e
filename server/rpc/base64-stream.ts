// Base64 in chunks, for application/grpc-web-text: a body is a row of base64 texts, each of which may end in padding,
// cut anywhere. https://github.com/grpc/grpc/blob/v1.62.0/doc/PROTOCOL-WEB.md "grpc-web-text"
import { Code, ConnectError } from "@connectrpc/connect";

const stranger = /[^A-Za-z0-9+/=]/;

/** Decodes base64 that comes in chunks. */
export class Base64Decoder {
  #rest = "";

  /**
   * Decodes what is complete, and keeps up to three characters for later.
   *
   * @throws ConnectError `invalid_argument` on anything that is no base64
   */
  decode(chunk: Uint8Array): Buffer {
    const text = this.#rest + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString("latin1");
    const end = text.length - (text.length % 4);
    this.#rest = text.slice(end);
    return decodeTexts(text.slice(0, end));
  }

  /** @throws ConnectError `invalid_argument` if the body ended inside a group of four characters */
  end(): void {
    if (this.#rest !== "") throw new ConnectError("protocol error: incomplete base64 body", Code.InvalidArgument);
  }
}

/** Decodes a row of base64 texts. Each is a multiple of four characters long and has at most two of padding. */
function decodeTexts(row: string): Buffer {
  if (!row.includes("=") && !stranger.test(row)) return Buffer.from(row, "base64");
  const texts = row.match(/[^=]+={0,2}/g) ?? [];
  const isWhole = texts.every((text) => text.length % 4 === 0) && texts.join("").length === row.length;
  if (!isWhole || stranger.test(row)) {
    throw new ConnectError("protocol error: request body is not base64", Code.InvalidArgument);
  }
  return Buffer.concat(texts.map((text) => Buffer.from(text, "base64")));
}

/** Encodes one chunk of a response body as a base64 text of its own. */
export function encodeBase64(bytes: Uint8Array): Buffer {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
  return Buffer.from(text, "latin1");
}
