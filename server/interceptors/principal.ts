// Who calls, as interceptors for authentication say it.
import { type ContextKey, createContextKey } from "@connectrpc/connect";

/** A caller that an interceptor has authenticated. */
export interface Principal {
  /** How the caller was authenticated. */
  readonly kind: "jwt" | "certificate" | "api_key";
  /** The subject of a token, the name of a certificate, or the name of a key. */
  readonly name: string;
  /** Claims of the token. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
}

/** Context value: who calls; undefined unless an interceptor has authenticated the caller. */
export const principal: ContextKey<Principal | undefined> = createContextKey<Principal | undefined>(undefined, {
  description: "authenticated caller",
});
