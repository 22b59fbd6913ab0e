// Serves a page of another origin, which loads the clients that people use from their packages.
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import { extname, join, normalize } from "node:path";
import { toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { serverIdentity } from "../../support/certificates.js";
import { root } from "../../support/stage.js";

const packages = ["@bufbuild/protobuf", "@connectrpc/connect", "@connectrpc/connect-web"];

/** What a package exports to `import`. */
type Exports = Record<string, string | { import?: string | { default: string } }>;

/** Specifier → path on the server of the page. */
function importMap(): Record<string, string> {
  const entries = packages.flatMap((name) => {
    const { exports } = JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8"));
    return Object.entries(exports as Exports).flatMap(([path, target]) => {
      const file = typeof target === "string" ? undefined : target.import;
      if (file === undefined) return [];
      const own = typeof file === "string" ? file : file.default;
      return [[normalize(`${name}/${path}`).replace(/\/$/, ""), `/modules/${normalize(`${name}/${own}`)}`] as const];
    });
  });
  return Object.fromEntries(entries);
}

const page = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>another origin</title>
<script>var exports = {}</script><script src="/modules/grpc-web/index.js"></script><script>var grpcWeb = exports</script>
<script type="importmap">${JSON.stringify({ imports: importMap() })}</script>
<script type="module" src="/page.js"></script>`;

async function readContent(path: string): Promise<string | Uint8Array> {
  if (path === "/") return page;
  if (path === "/test.proto") return toBinary(FileDescriptorProtoSchema, TestService.file.proto);
  if (path === "/page.js") return await readFile(join(root, "test/judges/browser/cors-page.js"));
  return await readFile(join(root, "node_modules", normalize(path.replace("/modules/", "/"))));
}

const types: Record<string, string> = { "": "text/html", ".js": "text/javascript" };

/** A server of pages that listens on a port of its own. To be disposed. */
export interface ForeignOrigin extends AsyncDisposable {
  readonly origin: string;
}

/** @param scheme that of the API, since Chromium takes another scheme for another site, whose cookies it withholds */
export async function startForeignOrigin(scheme: "http" | "https"): Promise<ForeignOrigin> {
  const server = scheme === "http" ? http.createServer() : https.createServer(serverIdentity);
  server.on("request", async ({ url = "/" }: http.IncomingMessage, response: http.ServerResponse) => {
    const content = await readContent(url).catch(() => undefined);
    response.writeHead(content === undefined ? 404 : 200, { "content-type": types[extname(url)] ?? "text/plain" });
    response.end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    origin: `${scheme}://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
