// Options of `apiKeys`. What callers see is in test/behaviour.
import { expect, test } from "vitest";
import { type ApiKeysOptions, apiKeys } from "../../../server/interceptors/index.js";

const key = "0123456789abcdef";

test.each<[options: unknown, message: string]>([
  [undefined, "apiKeys: expected options, found undefined"],
  [{ keys: { a: key }, headr: "x" }, 'apiKeys: unknown option "headr": did you mean "header"?'],
  [{ keys: { a: key }, header: "x key" }, 'apiKeys: header: expected the name of a header, found "x key"'],
  [{}, "apiKeys: keys: expected an object of names and keys, found undefined"],
  [{ keys: {} }, "apiKeys: keys: expected keys, found none"],
  [{ keys: { a: [] } }, "apiKeys: keys: expected keys, found none"],
  [{ keys: { a: 1 } }, 'apiKeys: keys["a"]: expected a key, found a number'],
  [{ keys: { a: "short" } }, 'apiKeys: keys["a"]: expected a key of 16 characters at least, found 5'],
  [{ keys: { a: `${key} ` } }, 'apiKeys: keys["a"]: expected a key of visible ASCII characters'],
  [{ keys: { a: "sha256:00" } }, 'apiKeys: keys["a"]: expected 64 hexadecimal digits after sha256:'],
  [{ keys: { a: key, b: [key] } }, 'apiKeys: keys["b"]: expected another key than that of "a"'],
  [
    { keys: { a: key }, rules: [{ methods: "*", names: ["b"] }] },
    'apiKeys: rules[0].names: expected names of keys, found "b"',
  ],
  [
    { keys: { a: key }, rules: [{ methods: "*", name: "a" }] },
    'apiKeys: rules[0]: unknown option "name": did you mean "names"?',
  ],
  [
    { keys: { a: key }, rules: [{ methods: "x" }] },
    'apiKeys: rules[0].methods: expected package.Service/Method, package.Service/* or *, found "x"',
  ],
])("%j: %s", (options, message) => {
  expect(() => apiKeys(options as ApiKeysOptions)).toThrow(new TypeError(message));
});
