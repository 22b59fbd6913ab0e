// How V8 keeps the objects of calls.
import { setFlagsFromString } from "node:v8";

/** A flag of V8, in Node 20, 22 and 24. */
export const youngCallsFlag = "--no-allocation-site-pretenuring";

/**
 * V8 watches which literals outlive a collection of young objects, and makes them old ones from then on. With a hundred calls
 * at once, the objects of each call outlive one. Calls that have ended then fill the old space, and each collection of that
 * holds up all others for tens of milliseconds.
 */
export function keepCallsYoung(): void {
  setFlagsFromString(youngCallsFlag);
}
