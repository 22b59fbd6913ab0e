// The test service as a module of the command, for tests of several processes on one port.
import type { Router, ServerOptions } from "../../../server/index.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { restRules } from "../load/calls.js";
import { createRudeService } from "./service.js";

const service = createRudeService();

const options: ServerOptions = {
  routes: (router: Router) =>
    router.service(TestService, {
      ...service,
      // For the text "pid" the reply has that of the process. "crash" is an error that is not caught.
      unary(request, context) {
        if (request.text === "pid") return { text: String(process.pid) };
        if (request.text === "crash") setImmediate(() => Promise.reject(new Error("boom")));
        return service.unary(request, context);
      },
    }),
  httpRules: restRules,
  drainTimeoutMs: 5000,
  // Long enough for callers to notice the end of a connection before they call on it again.
  limits: { idleGraceMs: 2000 },
};

export default options;
