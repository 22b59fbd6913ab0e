// What each runtime serves.
import { Code, ConnectError } from "@connectrpc/connect";
import { createServer } from "manywire";
import { TestService } from "./test_pb.js";

const service = TestService.typeName;

export const server = createServer({
  requestPathPrefix: "/api",
  httpRules: {
    rules: [
      { selector: `${service}.Unary`, post: "/v1/unary", body: "*" },
      { selector: `${service}.ServerStream`, get: "/v1/down/{text}" },
    ],
  },
  routes: (router) =>
    router.service(TestService, {
      unary({ text, data }) {
        if (text === "") throw new ConnectError("no text", Code.NotFound);
        if (text === "broken") throw new TypeError("broken");
        return { text, data };
      },
      async *serverStream({ text, count }) {
        for (let index = 0; index < count; index++) yield { text, index };
      },
    }),
});
