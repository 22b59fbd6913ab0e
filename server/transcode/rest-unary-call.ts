// A unary method by a route: the request from path, query and body, the reply as JSON or as bytes of a google.api.HttpBody.
import type { Message } from "@bufbuild/protobuf";
import { RestCall } from "./rest-call.js";

/** One such call. */
export class RestUnaryCall extends RestCall {
  protected onBody(body: Uint8Array): void {
    this.invoke(this.decode(body));
  }

  protected override reply(output: Message): void {
    this.sendReply(output);
  }
}
