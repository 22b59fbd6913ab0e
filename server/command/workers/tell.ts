// Messages of a worker to its primary.
import process from "node:process";
import type { WorkerNews } from "./messages.js";

/** Resolves when the primary has been told, or is gone. */
export async function tell(news: WorkerNews): Promise<void> {
  await new Promise<void>((resolve) => {
    if (process.connected) process.send?.(news, () => resolve());
    else resolve();
  });
}
