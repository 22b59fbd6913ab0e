// A service whose calls cost about 200 µs, as a module for `manywire serve`.
import { pbkdf2Sync } from "node:crypto";
import process from "node:process";
import { loadSchema } from "./schema.js";

const { Greeter } = await loadSchema(process.env.BENCH_DIST ?? "dist");

/** @type {any} */
const greeter = {
  sayHello(/** @type {{ name: string }} */ { name }) {
    pbkdf2Sync(name, "salt", 300, 32, "sha256");
    return { message: `Hello, ${name}!` };
  },
};

export default (/** @type {import("@connectrpc/connect").ConnectRouter} */ router) => router.service(Greeter, greeter);
