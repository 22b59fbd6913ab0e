import { Duplex } from "node:stream";

/** A socket without a network: what Node writes is passed to `receive`, and `push` is what Node reads. */
export class MemorySocket extends Duplex {
  readonly #receive: (bytes: Buffer) => void;

  constructor(receive: (bytes: Buffer) => void) {
    super();
    this.#receive = receive;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#receive(chunk);
    done();
  }
}
