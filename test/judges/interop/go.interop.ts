// Go's grpc-go calls us: the tests of the folder `go`, against every kind of server.
import { registerTakeover, registerTests } from "./foreign-tests.js";
import { goClient } from "./go-programs.js";

await registerTests("grpc-go", { command: goClient, args: [], env: process.env });
registerTakeover("grpc-go", { command: goClient, args: ["--keep-calling"], env: process.env });
