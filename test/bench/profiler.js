// A CPU profile of this process, of the time under load only: `--cpu-prof` would count the start too.
import { Session } from "node:inspector/promises";

/** @type {Session | undefined} */
let session;

export async function startProfile() {
  session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: 200 });
  await session.post("Profiler.start");
}

/** @returns {Promise<import("node:inspector").Profiler.Profile>} */
export async function stopProfile() {
  if (session === undefined) throw new Error("no profile was started");
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();
  return profile;
}
