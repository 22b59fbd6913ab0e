// The compressions that an upstream takes, as far as it has said so.

/** No server has longer lists and names. They are not kept. */
const maxListLength = 256;

export class Encodings {
  #list = "";
  #names: ReadonlySet<string> = new Set();

  /** Reads the `grpc-accept-encoding` of a response. */
  learn(list: string | null): void {
    if (list === null || list === this.#list || list.length > maxListLength) return;
    this.#list = list;
    this.#names = new Set(list.split(",").map((name) => name.trim()));
  }

  /** Whether messages that are compressed like this may be sent to it; undefined for messages that are not. */
  takes(name: string | undefined): boolean {
    return isIdentity(name) || this.#names.has(name);
  }
}

/** Whether a header names no compression. */
export function isIdentity(name: string | undefined): name is undefined | "identity" {
  return name === undefined || name === "identity";
}
