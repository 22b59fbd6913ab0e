import type { ConnectRouter } from "manywire";
import { WordService } from "./gen/words/v1/words_pb.js";

export function routes(router: ConnectRouter): void {
  router.service(WordService, {
    reverse: ({ word }) => ({ word: [...word].reverse().join("") }),
  });
}
