// Filters get every request before it is routed, and what they make of the exchange is what all responses go through.
import type { OutgoingHttpHeaders } from "node:http";
import { describe, expect, test } from "vitest";
import type { Exchange } from "../../../server/http/exchange.js";
import { respond } from "../../../server/http/exchange.js";
import type { Filter } from "../../../server/http/filter.js";
import type { PreparedHead } from "../../../server/http/prepared-head.js";
import { WrappedExchange } from "../../../server/http/wrapped-exchange.js";
import { request } from "../../support/http.js";
import { versions } from "../../support/rest-service.js";
import { echo, startListener } from "./support.js";

/** Adds its name to a header of every response. */
class Named extends WrappedExchange {
  readonly #name: string;
  constructor(inner: Exchange, name: string) {
    super(inner);
    this.#name = name;
  }
  #add(headers: OutgoingHttpHeaders) {
    return { ...headers, "x-filters": `${headers["x-filters"] ?? ""}${this.#name}` };
  }
  override sendHead(status: number, headers: OutgoingHttpHeaders) {
    super.sendHead(status, this.#add(headers));
  }
  override sendPreparedHead({ status, headers }: PreparedHead) {
    super.sendHead(status, this.#add(headers));
  }
  override sendHeadOnly(status: number, headers: OutgoingHttpHeaders) {
    super.sendHeadOnly(status, this.#add(headers));
  }
}

const named =
  (name: string): Filter =>
  (exchange, next) =>
    next(new Named(exchange, name));

const guard: Filter = (exchange, next) => {
  if (exchange.path === "/blocked") respond(exchange, 403, {}, "blocked");
  else if (exchange.path === "/fails") throw new Error("a filter fails");
  else return next(exchange);
};

const routes = {
  "/throws": () => {
    throw new Error("the handler fails");
  },
  "/rejects": () => Promise.reject(new Error("the handler fails")),
};

describe.each(versions)("over HTTP/%s", (httpVersion) => {
  test.each<[what: string, path: string, headers: Record<string, string>, status: number, filters: string | undefined]>(
    [
      ["a response", "/a?b", {}, 200, "21"],
      ["a refusal of a filter", "/blocked", {}, 403, "1"],
      ["an error of the handler", "/throws", {}, 500, "21"],
      ["a rejection of the handler", "/rejects", {}, 500, "21"],
      ["an error of a filter", "/fails", {}, 500, undefined],
      ["a malformed request", "/a", { host: "x:99999" }, 400, "21"],
    ],
  )("%s goes through the filters before it", async (_, path, headers, status, filters) => {
    await using server = await startListener({ routes, filters: [named("1"), guard, named("2")] });
    const own = httpVersion === "2" && headers.host !== undefined ? { ":authority": headers.host } : headers;
    const answer = await request(server.url, { httpVersion, path, headers: own, body: "hello" });
    expect([answer.status, answer.headers["x-filters"]]).toEqual([status, filters]);
    if (status === 200) expect(answer.text).toBe("POST /a?b 5");
    expect(server.errors).toEqual(
      status !== 500 ? [] : [path === "/fails" ? "handler: a filter fails" : "handler: the handler fails"],
    );
  });

  test("a wrapped exchange is as the one that it wraps", async () => {
    const seen: unknown[] = [];
    const describeExchange = (exchange: Exchange) => {
      const { method, scheme, path, query, headers, socket, isHeadSent, isClosed, isFinished } = exchange;
      const { resetCode, maxHeaderBytes, authority, peer, rawHeaders } = exchange;
      seen.push([exchange.httpVersion, method, scheme, authority, path, query, headers, socket, peer]);
      seen.push([rawHeaders, exchange.isHttp10 === true]);
      seen.push([isHeadSent, isClosed, isFinished, resetCode, maxHeaderBytes]);
    };
    const compare: Filter = (exchange, next) => {
      describeExchange(exchange);
      return next(new WrappedExchange(exchange));
    };
    await using server = await startListener({
      filters: [compare],
      handler(exchange) {
        describeExchange(exchange);
        echo(exchange);
      },
    });
    await request(server.url, { httpVersion, path: "/a?b=c", body: "hello" });
    expect(seen.slice(0, 3)).toEqual(seen.slice(3));
    expect(seen).toHaveLength(6);
  });
});
