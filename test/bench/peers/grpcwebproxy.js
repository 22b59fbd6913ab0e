// grpcwebproxy, the program that the makers of the first gRPC-Web server have before gRPC servers.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../schema.js";

const folder = join(cacheFolder, "go", "bin");
const program = join(folder, "grpcwebproxy");
const version = "0.15.0";

/** It neither takes a free port nor prints one. */
const start = `port=$((20000 + $$ % 20000)); (sleep 1; echo $port) &
exec ${program} --run_tls_server=false --server_bind_address=127.0.0.1 --server_http_debug_port=$port \\
  --backend_addr=127.0.0.1:$2 >/dev/null 2>&1`;

/** Followed by `--backend` and a port. */
export const webProxyProgram = ["sh", "-c", start, "sh"];

/** @type {import("./foreign.js").Toolchain} */
export const grpcWebProxy = { program: "go", build, versions: () => ({ grpcwebproxy: version }) };

function build() {
  if (existsSync(program)) return;
  const env = { ...process.env, GOBIN: folder, GOFLAGS: "", GOWORK: "off" };
  const args = ["install", `github.com/improbable-eng/grpc-web/go/grpcwebproxy@v${version}`];
  execFileSync("go", args, { env, stdio: "inherit" });
}
