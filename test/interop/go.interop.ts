// Go's grpc-go calls us: the tests of the folder `go`, against every kind of server.
import { registerTests } from "./foreign-tests.js";
import { goClient } from "./go-programs.js";

await registerTests("grpc-go", { command: goClient, args: [], env: process.env });
