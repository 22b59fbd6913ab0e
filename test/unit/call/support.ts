// The context of a call, for tests that need one.
import { createContextValues } from "@connectrpc/connect";
import { CallContext } from "../../../server/call/context.js";
import { LazyHeaders } from "../../../server/call/headers.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";

type Init = ConstructorParameters<typeof CallContext>[0];

export function openContext(init: Partial<Init> = {}): CallContext {
  return new CallContext({
    method: TestService.method.unary,
    protocolName: "grpc",
    requestMethod: "POST",
    url: "http://localhost/x",
    requestHeader: new LazyHeaders({ "x-a": "1" }),
    responseHeader: new LazyHeaders({}),
    responseTrailer: new LazyHeaders({}),
    deadlineMs: undefined,
    values: createContextValues(),
    report: () => {},
    ...init,
  });
}
