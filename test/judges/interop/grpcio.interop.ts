// Python's grpcio calls us: the tests of the folder `python`, against every kind of server.
import { fileURLToPath } from "node:url";
import { registerTakeover, registerTests } from "./foreign-tests.js";
import { python, stubs } from "./tools.js";

const folder = fileURLToPath(new URL("python/", import.meta.url));
const environment = { ...process.env, PYTHONPATH: stubs, PYTHONDONTWRITEBYTECODE: "1", GRPC_VERBOSITY: "NONE" };

await registerTests("grpcio", { command: python, args: [`${folder}run.py`], env: environment });
registerTakeover("grpcio", { command: python, args: [`${folder}keep_calling.py`], env: environment });
