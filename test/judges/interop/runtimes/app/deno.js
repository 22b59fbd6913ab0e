import process from "node:process";
import { server } from "./service.js";

Deno.serve(
  { port: 0, onListen: ({ port }) => process.stdout.write(`listening on http://localhost:${port}/\n`) },
  server.fetch,
);
