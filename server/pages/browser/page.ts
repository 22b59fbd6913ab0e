// What the forms of all methods share.
import type { HeadersBox } from "./headers-box.js";
import type { HistoryView } from "./history-view.js";

export interface Page {
  /** Where the page came from, without the slash at the end: the server, or what stands before it under a path. */
  readonly base: string;
  readonly headers: HeadersBox;
  readonly history: HistoryView;
}
