// What the package `manywire` exports.
export {
  Code,
  ConnectError,
  type ConnectRouter,
  type ContextValues,
  createContextKey,
  createContextValues,
  type HandlerContext,
  type Interceptor,
  type ServiceImpl,
} from "@connectrpc/connect";
export type { CallInfo } from "./call/call-info.js";
export { callInfo, peerCertificate } from "./call/context-values.js";
export { setHttpStatus } from "./call/http-status.js";
export type { Method, ProtocolName } from "./call/method.js";
export type { MethodInterceptor } from "./call/method-interceptor.js";
export type {
  CallHooks,
  CallObserver,
  FinishedCall,
  ForwardEnd,
  ForwardedRequest,
  StartedCall,
} from "./call/observer.js";
export { setCompression } from "./call/response-compression.js";
export type { RouteOptions, Router } from "./call/table.js";
export { compressionBrotli, compressionGzip } from "./compressions.js";
export type { Refusal } from "./counters.js";
export type { RequestInfo } from "./http/exchange.js";
export type { CallRequest } from "./in-process/call.js";
export type { CallResponse, CallStatus } from "./in-process/response.js";
export type { ListenLimits } from "./listen/limits.js";
export type { NodeHandler } from "./listen/node-handler.js";
export type { TlsOptions } from "./listen/tls.js";
export type { Fallback } from "./mount/fallback.js";
export type { FetchHandler } from "./mount/fetch.js";
export type { DocsOptions, OperationKind } from "./openapi/options.js";
export type { OpenApiDocument } from "./openapi/types.js";
export type { CorsOptions } from "./operate/cors/options.js";
export type { Health, HealthStatus } from "./operate/health.js";
export type { ErrorLogger } from "./operate/unexpected.js";
export type { PagesOptions, ServerOptions } from "./options.js";
export type { ReloadOptions, ReloadReport } from "./reload.js";
export { runServer } from "./run-server.js";
export { createServer, type Server } from "./server.js";
export type { ServedMethod, ServerStats } from "./stats.js";
export type { RestOptions } from "./transcode/transcoder.js";
export type { UpstreamStats } from "./upstream/stats.js";
