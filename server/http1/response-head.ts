// Responses as text: status line, field lines, and the frames of chunks (RFC 9112 sections 4, 5 and 7.1).
import { isFieldValue, isToken } from "../http/header.js";

/** Name → value, or several values. Undefined ones are not sent. */
export type OutgoingFields = Readonly<Record<string, number | string | readonly string[] | undefined>>;

/** Status and fields as text, and what they say of the body and the connection. */
export interface ResponseHead {
  /** Status line and field lines, each with its end. Each character is one byte. */
  readonly text: string;
  readonly hasDate: boolean;
  /** Whether the fields have the size of the body. */
  readonly hasLength: boolean;
  /** Whether the connection is to end with the response. */
  readonly closes: boolean;
}

/** How the body is framed, and what becomes of the connection, is for the connection to say. */
const connectionFields: ReadonlySet<string> = new Set(["connection", "keep-alive", "transfer-encoding"]);

/**
 * @param reason phrase of the status
 * @throws TypeError if a field cannot be sent
 */
export function formatHead(status: number, reason: string, fields: OutgoingFields): ResponseHead {
  let text = `HTTP/1.1 ${status} ${reason}\r\n`;
  let hasDate = false;
  let hasLength = false;
  let closes = false;
  for (const name in fields) {
    const value = fields[name];
    if (value === undefined) continue;
    switch (name.length) {
      case 4:
        hasDate ||= name.toLowerCase() === "date";
        break;
      case 10:
      case 17:
        if (!connectionFields.has(name.toLowerCase())) break;
        closes ||= String(value).toLowerCase() === "close";
        continue;
      case 14:
        hasLength ||= name.toLowerCase() === "content-length";
        break;
    }
    text += formatField(name, value);
  }
  return { text, hasDate, hasLength, closes };
}

/** Returns field lines, each with its end. @throws TypeError if a field cannot be sent */
export function formatFields(fields: OutgoingFields): string {
  let text = "";
  for (const name in fields) {
    const value = fields[name];
    if (value !== undefined) text += formatField(name, value);
  }
  return text;
}

function formatField(name: string, value: number | string | readonly string[]): string {
  if (!isToken(name)) throw new TypeError(`header ${JSON.stringify(name)}: expected a token`);
  if (typeof value === "number") return `${name}: ${value}\r\n`;
  if (typeof value === "string") return formatLine(name, value);
  return value.map((one) => formatLine(name, one)).join("");
}

function formatLine(name: string, value: string): string {
  if (!isFieldValue(value)) throw new TypeError(`header ${name}: invalid character in the value`);
  return `${name}: ${value}\r\n`;
}
