import { server } from "../../../service.js";

export const GET = server.fetch;
export const POST = server.fetch;
