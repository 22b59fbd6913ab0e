/** Refuses streams of requests and replies at the same time: `fetch` gives no response before it has sent the whole request. */
import { Code, ConnectError, type Transport } from "@connectrpc/connect";

/** @param who cannot, for the error */
export function withoutBidi(transport: Transport, who: string): Transport {
  return {
    ...transport,
    async stream(method, ...others) {
      if (method.methodKind !== "bidi_streaming") return transport.stream(method, ...others);
      const name = `${method.parent.typeName}/${method.name}`;
      throw new ConnectError(`${name}: ${who} cannot send and receive at the same time`, Code.Unimplemented);
    },
  };
}
