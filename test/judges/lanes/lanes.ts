// Two servers that differ in their lane only, and what they make of the same request.
import { createServer, type FinishedCall, type Server, type ServerOptions } from "../../../server/index.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { type Allowance, allowances, type Outcome } from "./allowed.js";
import { toVisible } from "./compare.js";
import type { Sample, Wire } from "./generate.js";
import { openSender, type Sender } from "./send.js";
import { createSeeingService } from "./service.js";

interface Lane {
  readonly server: Server;
  readonly sender: Sender;
  readonly finished: FinishedCall[];
}

/** A pair of servers. To be disposed. */
export interface Lanes extends AsyncDisposable {
  /** Sends the request to both, and takes out the differences that are allowed. */
  compare(wire: Wire, sample: Sample): Promise<Compared>;
  /** Calls that the servers have told their observers of so far, by method, protocol and code. Sorted. */
  finished(): { fast: string[]; reference: string[] };
}

export interface Compared extends Outcome {
  /** The allowances that took something out. */
  readonly used: readonly Allowance[];
}

export async function openLanes(options: Partial<ServerOptions>): Promise<Lanes> {
  const [fast, reference] = await Promise.all([
    open({ ...options, fastLane: true }),
    open({ ...options, fastLane: false }),
  ]);
  return {
    async compare(wire, sample) {
      const answers = await Promise.all([fast.sender.send(sample), reference.sender.send(sample)]);
      return allow({ wire, sample, fast: toVisible(answers[0]), reference: toVisible(answers[1]) });
    },
    finished: () => ({ fast: describe(fast), reference: describe(reference) }),
    async [Symbol.asyncDispose]() {
      for (const { sender, server } of [fast, reference]) {
        sender[Symbol.dispose]();
        await server.close();
      }
    },
  };
}

async function open(options: Partial<ServerOptions>): Promise<Lane> {
  const finished: FinishedCall[] = [];
  const server = createServer({
    port: 0,
    ...options,
    routes: (router) => router.service(TestService, createSeeingService()),
    onCall: (call) => finished.push(call),
  });
  await server.listen();
  return { server, sender: openSender(server.url), finished };
}

function describe({ finished }: Lane): string[] {
  return finished.map(({ method, protocol, code }) => `${method.path} ${protocol} ${code ?? "ok"}`).sort();
}

export const isSame = ({ fast, reference }: Outcome) => JSON.stringify(fast) === JSON.stringify(reference);

function allow(outcome: Outcome): Compared {
  const used: Allowance[] = [];
  let rest = outcome;
  for (const allowance of allowances) {
    if (isSame(rest)) break;
    const settled = allowance.settle(rest);
    if (settled === undefined) continue;
    const [fast, reference] = settled;
    const next = { ...rest, fast, reference };
    if (JSON.stringify(next) !== JSON.stringify(rest)) used.push(allowance);
    rest = next;
  }
  return { ...rest, used };
}
