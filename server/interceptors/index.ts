// What the package exports as `manywire/interceptors`.
export { anyOf } from "./any-of.js";
export { type ApiKeysInterceptor, type ApiKeysOptions, type ApiKeysRule, apiKeys } from "./api-keys.js";
export type { ClientNames } from "./certificate-names.js";
export type { JsonWebKey, JsonWebKeySet } from "./json-web-keys.js";
export { type JwtOptions, jwt, jwtClaims } from "./jwt.js";
export type { ClaimValues, JwtClaims, JwtRequirements, JwtRule } from "./jwt-rules.js";
export type { MethodPatterns, MethodRule } from "./method-rules.js";
export { type MtlsOptions, type MtlsRule, mtls } from "./mtls.js";
export { type Principal, principal } from "./principal.js";
export type { RateLimitKey } from "./rate-limit/keys.js";
export type { SharedLimiter } from "./rate-limit/store-limiter.js";
export { type RateLimitOptions, rateLimit } from "./rate-limit.js";
export { type ValidationOptions, validation } from "./validation.js";
