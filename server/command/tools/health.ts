// `manywire health`: asks a server by grpc.health.v1, with the exit codes of grpc_health_probe
// (https://github.com/grpc-ecosystem/grpc-health-probe), so that images need no other program for it.
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { Health, HealthCheckResponse_ServingStatus as Status } from "../../../gen/grpc/health/v1/health_pb.js";
import type { ToolStreams } from "./call.js";
import { openTarget, type TargetFlags } from "./target.js";

export interface HealthFlags extends TargetFlags {
  /** Full name; empty for the server. */
  readonly service: string;
}

/** Exit codes. 1 is wrong usage. */
const exitCodes = { serving: 0, noConnection: 2, failedCall: 3, notServing: 4 } as const;

/** Prints the status. Resolves to the exit code. */
export async function checkHealth(
  address: string,
  flags: HealthFlags,
  { stdout, stderr }: Pick<ToolStreams, "stdout" | "stderr">,
): Promise<number> {
  const { transport, headers, timeoutMs } = openTarget(address, flags);
  try {
    const { service } = flags;
    const options = { headers, ...(timeoutMs !== undefined && { timeoutMs }) };
    const { status } = await createClient(Health, transport).check({ service }, options);
    stdout.write(`${Status[status] ?? status}\n`);
    return status === Status.SERVING ? exitCodes.serving : exitCodes.notServing;
  } catch (error) {
    const { code, message } = ConnectError.from(error);
    stderr.write(`error: ${address}: ${message}\n`);
    return code === Code.Unavailable ? exitCodes.noConnection : exitCodes.failedCall;
  } finally {
    transport.close();
  }
}
