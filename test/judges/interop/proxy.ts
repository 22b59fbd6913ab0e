// Starts HAProxy or nginx, as Debian has them, in front of servers of ours, with a configuration written for the test.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { freePort } from "../../support/free-port.js";

/** A proxy that runs, and where it listens, as URLs. */
export interface Front {
  /** For HTTP/1.1. */
  readonly http1: string;
  /** For HTTP/2 by prior knowledge. */
  readonly http2: string;
  /** Takes a server out of those that get new calls, if the proxy does not find out by itself. */
  leave(url: string): Promise<void>;
}

interface Ports {
  readonly http1: number;
  readonly http2: number;
}

/** What there is to know of a proxy before it is started. */
export interface ProxyProgram {
  readonly name: string;
  readonly command: string;
  /** Its arguments, by the folder that is its own. */
  args(folder: string): string[];
  /** Its configuration, the file `proxy.conf` of the folder. Servers are `127.0.0.1:1234`. */
  configure(folder: string, ports: Ports, servers: readonly string[]): string;
  /** Whether it asks the servers by itself how they are. If not, it is given a new configuration by SIGHUP. */
  readonly asksServers: boolean;
}

/** A proxy that is ended after the test, which fails if it complained. */
export async function startProxy(program: ProxyProgram, urls: readonly string[]): Promise<Front> {
  const folder = await mkdtemp(join(tmpdir(), `manywire-${program.name}-`));
  // nginx gives its rights up.
  await chmod(folder, 0o755);
  const ports = { http1: await freePort(), http2: await freePort() };
  const configure = (servers: readonly string[]) =>
    writeFile(
      join(folder, "proxy.conf"),
      program.configure(
        folder,
        ports,
        servers.map((url) => new URL(url).host),
      ),
    );
  await configure(urls);
  const child = spawn(program.command, program.args(folder), { stdio: ["ignore", "inherit", "inherit"] });
  const closed = once(child, "close");
  onTestFinished(async () => {
    child.kill("SIGTERM");
    await closed;
    await rm(folder, { recursive: true });
  });
  await Promise.race([
    Promise.all(Object.values(ports).map(accepting)),
    closed.then(([code]) => Promise.reject(new Error(`${program.name} has ended, with ${code}`))),
  ]);
  return {
    http1: `http://127.0.0.1:${ports.http1}`,
    http2: `http://127.0.0.1:${ports.http2}`,
    async leave(left) {
      if (program.asksServers) return;
      await configure(urls.filter((url) => url !== left));
      child.kill("SIGHUP");
    },
  };
}

async function accepting(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const isOpen = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    await delay(20);
  }
}

/**
 * Asks every server whether it is ready, and gives it no new call when it has said no for the third time, which is within
 * two seconds. Talks HTTP/2 to servers for those that talk HTTP/2 to it, and else HTTP/1.1.
 */
export const haproxy: ProxyProgram = {
  name: "HAProxy",
  asksServers: true,
  command: "haproxy",
  args: (folder) => ["-db", "-q", "-f", join(folder, "proxy.conf")],
  configure: (_folder, { http1, http2 }, servers) => {
    const lines = (options: string) =>
      servers
        .map((server, index) => `  server s${index} ${server} ${options}check inter 1s fastinter 300ms fall 3`)
        .join("\n");
    const backend = (name: string, options: string, check: string) => `
backend ${name}
  option httpchk
  http-check send meth GET uri /readyz${check}
  http-check expect status 200
${lines(options)}
`;
    return `
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
frontend http1
  bind 127.0.0.1:${http1}
  default_backend over1
frontend http2
  bind 127.0.0.1:${http2} proto h2
  default_backend over2
${backend("over1", "", "")}${backend("over2", "proto h2 ", " hdr Host localhost")}`;
  },
};

/** Talks HTTP/2 to the servers for gRPC, and HTTP/1.1 for all else, which is all it can. */
export const nginx: ProxyProgram = {
  name: "nginx",
  asksServers: false,
  command: "nginx",
  args: (folder) => ["-p", folder, "-c", join(folder, "proxy.conf"), "-e", join(folder, "error.log")],
  configure: (folder, { http1, http2 }, servers) => `
daemon off;
pid ${folder}/pid;
error_log ${folder}/error.log;
events {}
http {
  access_log off;
  ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")}
  upstream servers {
    ${servers.map((server) => `server ${server};`).join(" ")}
  }
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_request_buffering off;
  proxy_buffering off;
  server {
    listen 127.0.0.1:${http1};
    # A new configuration ends connections that idle, and what is just being sent on them is lost.
    keepalive_timeout 0;
    location / {
      proxy_pass http://servers;
    }
  }
  server {
    listen 127.0.0.1:${http2} http2;
    location / {
      if ($http_content_type ~ "^application/grpc($|[+;])") {
        grpc_pass grpc://servers;
      }
      proxy_pass http://servers;
    }
  }
}
`,
};
