// Which bodies are read as JSON, by their Content-Type (RFC 9110 section 8.3, RFC 6839 section 3.1).

/**
 * Whether a body of this type is JSON in UTF-8: `application/json` or `application/…+json`, in any case, without a charset
 * or with that of UTF-8. Anything else must be refused: a type that HTML forms can send would let any page send requests.
 */
export function isJsonType(contentType: string): boolean {
  if (contentType === "application/json") return true;
  const [type = "", ...parameters] = contentType.split(";").map((part) => part.trim().toLowerCase());
  if (!/^application\/(?:[\w.!#$&^-]+\+)?json$/.test(type)) return false;
  return parameters.every((parameter) => !parameter.startsWith("charset=") || /^charset="?utf-?8"?$/.test(parameter));
}
