// Turns headers of Connect's protocols into the fields of HEADERS, and back.
import { Code, ConnectError } from "@connectrpc/connect";
import { checkOutgoing } from "../../server/http2/field-rules.js";
import { createField, type Field } from "../../server/http2/hpack/field.js";

/**
 * Returns the fields of a request, pseudo-header fields first. `host` is the authority.
 *
 * @throws ConnectError `internal` if HTTP/2 does not allow a header
 */
export function requestFields(url: URL, method: string, header: Headers): Field[] {
  const fields = [
    createField(":method", method),
    createField(":scheme", url.protocol.slice(0, -1)),
    createField(":authority", header.get("host") ?? url.host),
    createField(":path", url.pathname + url.search),
  ];
  addHeaders(fields, header);
  return fields;
}

/** Appends headers but for `host`. @throws ConnectError `internal` if HTTP/2 does not allow one */
export function addHeaders(fields: Field[], header: Headers): void {
  header.forEach((value, name) => {
    if (name !== "host") addField(fields, name, value);
  });
  const fault = checkOutgoing(fields);
  if (fault !== undefined) throw new ConnectError(`headers: ${fault}`, Code.Internal);
}

/** Appends a header. Each value of a `-bin` header is a field of its own, since grpc-go decodes no lists of them. */
export function addField(fields: Field[], name: string, value: string): void {
  if (!name.endsWith("-bin") || !value.includes(",")) fields.push(createField(name, value));
  else for (const one of value.split(",")) fields.push(createField(name, one.trim()));
}

/** Returns the fields of a response, or its trailers, as headers. */
export function toHeaders(fields: readonly Field[]): Headers {
  const headers = new Headers();
  for (let index = 0; index < fields.length; index++) {
    const { name, value } = fields[index] as Field;
    headers.append(name, value);
  }
  return headers;
}
