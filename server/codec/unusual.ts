/** Thrown where there is something unusual, to be read, written or refused by protobuf-es. Made once: nobody sees it. */
export const unusual: Error = new Error("unusual");
