// Reads the credentials of an `authorization` header: a bearer token (RFC 6750 section 2.1).

/** A token, or why there is none. */
export type Bearer =
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "none" }
  | { readonly kind: "malformed" };

/** `b64token` of RFC 6750. Several headers are joined by a comma, which it does not have. */
const bearerForm = /^bearer +([\w\-.~+/]+=*)$/i;

/** Returns the token of the header. Another scheme counts as none. */
export function readBearer(authorization: string | null): Bearer {
  if (authorization === null) return { kind: "none" };
  const token = bearerForm.exec(authorization)?.[1];
  if (token !== undefined) return { kind: "token", token };
  return { kind: /^bearer\b/i.test(authorization) || authorization.includes(",") ? "malformed" : "none" };
}
