import { expect, test } from "vitest";
import { type CorsOptions, checkCors } from "../../../../server/operate/cors/options.js";
import { parseOrigin } from "../../../../server/operate/cors/origins.js";

const app = "https://app.example.com";

test.each<[pattern: string, origin: string, matches: boolean, reason: string]>([
  ["*", "https://a.b", true, "any"],
  ["*", "null", true, "a sandboxed page"],
  [app, app, true, "the same"],
  [app, "http://app.example.com", false, "another scheme"],
  [app, `${app}:8443`, false, "another port"],
  [app, `${app}.evil.example`, false, "a longer host"],
  [app, `${app}, ${app}`, false, "a header that came twice"],
  [app, "null", false, "a sandboxed page"],
  ["HTTPS://App.Example.com:443", app, true, "browsers send lower case, without the default port"],
  ["https://bücher.example", "https://xn--bcher-kva.example", true, "browsers send ASCII"],
  ["http://localhost:5173", "http://localhost:5173", true, "a port"],
  ["http://[::1]:80", "http://[::1]", true, "an address"],
  ["capacitor://localhost", "capacitor://localhost", true, "another scheme than HTTP"],
  ["https://*.example.com", app, true, "one label"],
  ["https://*.example.com", "https://example.com", false, "no label"],
  ["https://*.example.com", "https://.example.com", false, "an empty label"],
  ["https://*.example.com", "https://a.b.example.com", false, "two labels"],
  ["https://*.example.com", "https://evil.example/.example.com", false, "a path, which no browser sends"],
  ["https://*.example.com", "http://a.example.com", false, "another scheme"],
  ["https://*.example.com", "https://a.example.com:8443", false, "another port"],
  ["https://*.example.com:8443", "https://a.example.com:8443", true, "the port"],
  ["https://*.label.example", "https://a.label.example", true, "any name of the others"],
])("%s allows %s: %s, %s", (pattern, origin, matches) => {
  expect(parseOrigin(pattern)?.(origin)).toBe(matches);
});

test.each([
  ...["", "example.com", "https://", "https://a.com/", "https://a.com/b", "https://a.com?b", "https://u@a.com"],
  ...[
    "null",
    "**",
    "https://*",
    "https://*.*.com",
    "https://a.*.com",
    "https://a*.com",
    "https://a b.com",
    "https://a:b",
  ],
])("%j is not an origin", (text) => {
  expect(parseOrigin(text)).toBeUndefined();
});

test.each<[options: unknown, message: string]>([
  [
    { origins: "*", credentials: true },
    'cors.credentials: expected a list of origins to go with it, found origins "*"',
  ],
  [
    { origins: [app, "*"], credentials: true },
    'cors.credentials: expected a list of origins to go with it, found origins "*"',
  ],
  [{ origins: [] }, "cors.origins: expected at least one origin, found none"],
  [
    {},
    "cors.origins: expected origins such as https://app.example.com or https://*.example.com, or *, found undefined",
  ],
  [
    { origins: [app, 1] },
    "cors.origins: expected origins such as https://app.example.com or https://*.example.com, or *, found 1",
  ],
  [{ origins: app, methods: ["get"] }, 'cors.methods: expected methods in capitals, found "get"'],
  [{ origins: app, headers: ["a b"] }, 'cors.headers: expected names of headers, found "a b"'],
  [{ origins: app, headers: ["*"] }, 'cors.headers: expected names of headers, found "*"'],
  [{ origins: app, exposedHeaders: ["a,b"] }, 'cors.exposedHeaders: expected names of headers, found "a,b"'],
  [{ origins: app, maxAgeSeconds: 0.5 }, "cors.maxAgeSeconds: expected a whole number from 0 to 2147483647, found 0.5"],
  [{ origins: app, maxAgeSeconds: -1 }, "cors.maxAgeSeconds: expected a whole number from 0 to 2147483647, found -1"],
])("%j is refused at the start", (options, message) => {
  expect(() => checkCors(options as CorsOptions)).toThrow(new RangeError(message));
});

test("a function may go with credentials", () => {
  expect(() => checkCors({ origins: () => true, credentials: true })).not.toThrow();
});
