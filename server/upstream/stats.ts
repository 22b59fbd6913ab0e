// Counters of one upstream at one moment, as plain data.
import type { PoolStats } from "../../client/http2/pool.js";

/** What is known of the connections to one upstream. Counters are since it was configured, or changed by a reload. */
export interface UpstreamStats extends PoolStats {
  /** As it was given: `localhost:50051`. */
  readonly url: string;
  /** Calls that were sent again so far: by the retry policy, or because the upstream had not processed them. */
  readonly retries: number;
}
