import { server } from "./service.js";

const { url } = Bun.serve({ port: 0, fetch: server.fetch });
process.stdout.write(`listening on ${url}\n`);
