// Where our HTTP/1.1 and Node's differ on purpose. Nothing after such a place is compared.
import type { Seen, SeenRequest } from "./read.js";

interface Reason {
  readonly text: string;
  /** What the other side says of it. */
  readonly fault: RegExp;
}

/** Why Node refuses a request that we take. */
const nodeRefuses: readonly Reason[] = [
  { text: "Node has a list of methods; any token can be one (RFC 9110 section 9.1)", fault: /^HPE_INVALID_METHOD$/ },
  { text: "we say what is wrong with a target in a response, and keep the connection", fault: /^HPE_INVALID_URL$/ },
  {
    text: "Node reads the framing of the body again in trailers, which say nothing of it",
    fault: /TRANSFER_ENCODING|CONTENT_LENGTH/,
  },
];

/** Why we refuse a request that Node takes. */
const weRefuse: readonly Reason[] = [
  { text: "there is no other version of HTTP/1", fault: /^version: / },
  { text: "Node takes a line without a version for HTTP/0.9", fault: /^request line: / },
  {
    text: "a coding that we do not undo, or none at all (RFC 9112 section 6.1)",
    fault: /^transfer-encoding: expected /,
  },
  { text: "chunks in HTTP/1.0 are a faulty framing (section 6.1)", fault: /^transfer-encoding: not in HTTP\/1\.0$/ },
  { text: "an extension of a chunk without a name, or an empty value (section 7.1.1)", fault: /^chunk: malformed ext/ },
  { text: "two framings, also if one of them is empty (section 6.3)", fault: /^transfer-encoding: content-length / },
];

/** Returns what differs without a reason, or undefined. */
export function findDifference(ours: Seen, theirs: Seen): string | undefined {
  const [own, node] = [whole(ours), whole(theirs)];
  for (const [index, request] of own.entries()) {
    const judged = node[index];
    if (judged === undefined) return explain(nodeRefuses, `Node refuses request ${index}`, theirs.fault);
    if (JSON.stringify(request) !== JSON.stringify(judged)) return `request ${index} is another one for Node`;
  }
  // What Node refuses beyond that we have refused as well, or still wait for the rest of it.
  return own.length < node.length ? explain(weRefuse, "we refuse", ours.fault) : undefined;
}

function explain(reasons: readonly Reason[], what: string, fault: string | undefined): string | undefined {
  return reasons.some((reason) => reason.fault.test(`${fault}`)) ? undefined : `${what}: ${fault}`;
}

function whole({ requests }: Seen): SeenRequest[] {
  return requests.filter(({ isWhole }) => isWhole);
}
