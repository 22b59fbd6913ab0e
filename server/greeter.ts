// The reference service: hello_world.Greeter.
import type { ServiceImpl } from "@connectrpc/connect";
import type { Greeter } from "../gen/hello_world_pb.js";

/** Says hello. */
export const greeter: ServiceImpl<typeof Greeter> = {
  sayHello: ({ name }) => ({ message: `Hello, ${name}!` }),
  sayHelloAgain: ({ name }) => ({ message: `Hello, ${name} Again!` }),
};
