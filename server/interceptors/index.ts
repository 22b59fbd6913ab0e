// What the package exports as `manywire/interceptors`.
export { type ApiKeysOptions, type ApiKeysRule, apiKeys } from "./api-keys.js";
export type { MethodPatterns, MethodRule } from "./method-rules.js";
export { type Principal, principal } from "./principal.js";
export { type ValidationOptions, validation } from "./validation.js";
