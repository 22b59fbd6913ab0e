// Services that are the server's own, and never those of an upstream.

/** Whether a service is one that tools ask about the server itself. */
export function isOfTools(service: string): boolean {
  return service.startsWith("grpc.reflection.") || service === "grpc.health.v1.Health";
}
