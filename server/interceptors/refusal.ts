// The errors of interceptors for authentication, with the challenges that HTTP has for them.
import { Code, ConnectError } from "@connectrpc/connect";

/** Parameters of a challenge, in the order in which they are sent. */
type ChallengeParameters = Readonly<Record<string, string>>;

/** @param challenge value of `www-authenticate` (RFC 9110 section 11.6.1); none if undefined */
export function unauthenticated(message: string, challenge?: string, cause?: unknown): ConnectError {
  return new ConnectError(message, Code.Unauthenticated, toMetadata(challenge), undefined, cause);
}

/** @param challenge value of `www-authenticate`; none if undefined */
export function permissionDenied(message: string, challenge?: string): ConnectError {
  return new ConnectError(message, Code.PermissionDenied, toMetadata(challenge));
}

/** Errors of calls without credentials, which another way of authentication may let in. */
const missing = new WeakSet<ConnectError>();

/** The error of a call without credentials. */
export function credentialsMissing(message: string, challenge?: string): ConnectError {
  const error = unauthenticated(message, challenge);
  missing.add(error);
  return error;
}

/** Whether the call of an error has no credentials, rather than invalid ones. */
export function isMissing(error: ConnectError): boolean {
  return missing.has(error);
}

function toMetadata(challenge: string | undefined): Record<string, string> {
  return challenge === undefined ? {} : { "www-authenticate": challenge };
}

/** Returns a challenge with quoted parameters (RFC 9110 section 11.2). Characters that a header cannot have become `?`. */
export function formatChallenge(scheme: string, parameters: ChallengeParameters): string {
  const list = Object.entries(parameters).map(([name, value]) => {
    const text = value.replace(/[^\x20-\x7e]/g, "?").replace(/["\\]/g, "\\$&");
    return `${name}="${text}"`;
  });
  return [scheme, list.join(", ")].join(" ").trimEnd();
}
