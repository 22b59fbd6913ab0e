// The marker by which Connect requests are told from other JSON over HTTP, for servers that ask for it.
// https://connectrpc.com/docs/protocol#unary-request "Connect-Protocol-Version"
import { Code, ConnectError } from "@connectrpc/connect";
import { protocolVersion } from "@connectrpc/connect/protocol-connect";

type Place = "header" | "query";

const places: Record<Place, { name: string; kind: string; value: string }> = {
  header: { name: "Connect-Protocol-Version", kind: "header", value: protocolVersion },
  query: { name: "connect", kind: "parameter", value: `v${protocolVersion}` },
};

/** The error of a request whose version, in its header or query, is missing or not ours. */
export function checkProtocolVersion(place: Place, found: string | undefined): ConnectError | undefined {
  const { name, kind, value } = places[place];
  if (found === value) return undefined;
  const message =
    found === undefined
      ? `missing required ${kind}: set ${name} to "${value}"`
      : `${name} must be "${value}": got "${found}"`;
  return new ConnectError(message, Code.InvalidArgument);
}
