// What Node itself can do: reads the body, then replays a response that was recorded from the fast lane.
import { listenNode } from "./node-server.js";

/** Headers that Node writes of its own. */
const automatic = new Set([":status", "date", "connection", "keep-alive", "transfer-encoding"]);

/** @type {import("../server.js").Listen} */
export async function floor({ httpVersion, isTls, isPingPong, answer }) {
  if (answer === undefined) throw new Error("floor: expected an answer to replay, found none");
  const headers = Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !automatic.has(name)));
  const body = Buffer.from(answer.body, "base64");

  /** @type {(request: import("node:http2").Http2ServerRequest, response: import("node:http2").Http2ServerResponse) => void} */
  const replay = (request, response) => {
    if (isPingPong) {
      response.writeHead(answer.status, headers);
      // Each chunk is one ping: the client sends the next one when it has the reply.
      request.on("data", () => response.write(body));
    } else {
      request.resume();
    }
    request.on("end", () => {
      if (!isPingPong) response.writeHead(answer.status, headers);
      if (httpVersion === 2) response.addTrailers(answer.trailers);
      if (isPingPong) response.end();
      else response.end(body);
    });
  };
  return listenNode({ httpVersion, isTls }, replay);
}
