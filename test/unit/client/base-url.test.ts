import { describe, expect, it } from "vitest";
import { type Endpoint, parseBaseUrl } from "../../../client/base-url.js";
import { TransportOptionError } from "../../../client/option-error.js";

describe("a base URL", () => {
  it.each<[string, Endpoint]>([
    ["http://localhost:50051", { url: "http://localhost:50051/", isTls: false }],
    ["https://example.com", { url: "https://example.com/", isTls: true }], // the scheme's own port
    ["HTTP://Example.com/Api/", { url: "http://example.com/Api/", isTls: false }], // only paths have a case
    ["http://[::1]:80/", { url: "http://[::1]/", isTls: false }],
    ["unix:/run/many wire.sock", { url: "http://localhost", isTls: false, socketPath: "/run/many wire.sock" }],
    ["unix:///run/a%20b", { url: "http://localhost", isTls: false, socketPath: "/run/a%20b" }], // taken as it is
    ["unix:here.sock", { url: "http://localhost", isTls: false, socketPath: "here.sock" }],
  ])("is understood: %s", (baseUrl, target) => {
    expect(parseBaseUrl(baseUrl)).toEqual(target);
  });

  it.each([
    ["", 'baseUrl: expected an http:, https: or unix: URL, found ""'],
    ["localhost:50051", 'baseUrl: expected an http:, https: or unix: URL, found "localhost:50051"'],
    ["127.0.0.1:50051", 'baseUrl: expected an http:, https: or unix: URL, found "127.0.0.1:50051"'],
    ["/api", 'baseUrl: expected an http:, https: or unix: URL, found "/api"'],
    ["unix://here.sock", 'baseUrl: expected an http:, https: or unix: URL, found "unix://here.sock"'],
    ["unix:", 'baseUrl: expected an http:, https: or unix: URL, found "unix:"'],
    ["http://localhost:99999", 'baseUrl: expected an http:, https: or unix: URL, found "http://localhost:99999"'],
    ["http://me:secret@localhost", "baseUrl: expected no user or password, which belong in a header"],
    ["http://localhost?a=1#b", 'baseUrl: expected no query and no fragment, found "?a=1#b"'],
  ])("is refused with a reason: %j", (baseUrl, message) => {
    const problem = message.slice("baseUrl: ".length);
    expect(() => parseBaseUrl(baseUrl)).toThrow(new TransportOptionError("baseUrl", problem));
  });
});
