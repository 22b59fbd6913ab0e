import { server } from "./service.js";

export default { fetch: server.fetch };
