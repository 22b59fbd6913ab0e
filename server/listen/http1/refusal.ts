// Responses to what is no request.
import { type OutgoingHttpHeaders, STATUS_CODES } from "node:http";

/** Returns a whole response. @param added headers of filters, if the input belongs to a request that they have seen */
export function formatRefusal(status: number, added: Readonly<OutgoingHttpHeaders> = {}): string {
  const headers = "Connection: close\r\nContent-Length: 0\r\nX-Content-Type-Options: nosniff";
  const more = Object.entries(added).map(([name, value]) => `\r\n${name}: ${value}`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headers}${more.join("")}\r\n\r\n`;
}
