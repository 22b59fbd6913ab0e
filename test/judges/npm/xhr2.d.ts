// What our tests use of xhr2, which brings no types.
declare module "xhr2" {
  import type { Agent } from "node:https";

  class NodeXMLHttpRequest extends XMLHttpRequest {
    static nodejsSet(options: { httpsAgent?: Agent }): void;
  }
  export default NodeXMLHttpRequest;
}
