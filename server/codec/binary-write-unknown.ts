// Writes the fields that a message has kept although its type does not have them.
import { rejectValue, writeRaw, writeVarint } from "./binary-output.js";

export const unknownFields: { isWritten: boolean } = { isWritten: true };

/** @param fields those of `$unknown`: extensions are among them */
export function writeUnknown(fields: unknown): void {
  if (!Array.isArray(fields)) rejectValue();
  if (!unknownFields.isWritten) return;
  for (const { no, wireType, data } of fields) {
    if (!(data instanceof Uint8Array)) rejectValue();
    writeVarint(((no << 3) | wireType) >>> 0);
    writeRaw(data);
  }
}
