// Serves the text of metrics over HTTP.
import type { Fallback } from "../../mount/fallback.js";
import { type MetricsSnapshot, renderMetrics } from "./render.js";

/**
 * Makes a fallback that serves metrics to GET and HEAD.
 *
 * @param read returns the snapshots of this process, or of several
 */
export function serveMetrics(read: () => Promise<readonly MetricsSnapshot[]>, path = "/metrics"): Fallback {
  return async ({ url, method, headers }) => {
    if (new URL(url).pathname !== path) return undefined;
    if (method !== "GET" && method !== "HEAD")
      return new Response(null, { status: 405, headers: { allow: "GET, HEAD" } });
    const { contentType, text } = await renderMetrics(await read(), headers.get("accept") ?? "");
    return new Response(text, { headers: { "content-type": contentType, "cache-control": "no-store" } });
  };
}
