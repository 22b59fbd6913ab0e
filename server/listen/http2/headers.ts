// Header objects as field lines of HTTP/2.
import type { OutgoingHttpHeaders } from "node:http";
import { checkOutgoing } from "../../http2/field-rules.js";
import { createField, type Field } from "../../http2/hpack/field.js";

/**
 * Returns headers as field lines.
 *
 * @param status that of a response; undefined for trailers
 * @throws TypeError if HTTP/2 does not allow one of them
 */
export function toFields(status: number | undefined, headers: Readonly<OutgoingHttpHeaders>): Field[] {
  const fields: Field[] = status === undefined ? [] : [createField(":status", String(status))];
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined) continue;
    const key = name.toLowerCase();
    if (Array.isArray(value)) for (const one of value) fields.push(createField(key, one));
    else fields.push(createField(key, String(value)));
  }
  const fault = checkOutgoing(fields);
  if (fault !== undefined) throw new TypeError(fault);
  return fields;
}

let dateSecond = 0;
let dateField: readonly Field[] = [];

/** Returns the `date` field of a response, which is the same object for a second. */
export function currentDate(): readonly Field[] {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateField = [createField("date", new Date(second * 1000).toUTCString())];
  }
  return dateField;
}
