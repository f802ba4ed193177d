import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Place, Product } from "../../test/support/products/product.js";
import { LARGE_BYTES, LARGE_PATH, TINY_PATH } from "./scenarios.js";

/** The web server behind all proxies. It never closes a connection, so that no proxy reuses one that has just ended. */
export function describeBackend(canaryPort: number): Product {
  return {
    name: "the backend",
    isOurs: false,
    needs: { names: ["nginx"], debianPackage: "nginx-light" },
    describe: (place) => {
      const { directory } = place;
      writeFileSync(join(directory, LARGE_PATH), "x".repeat(LARGE_BYTES));
      const file = join(directory, "backend.conf");
      writeFileSync(file, renderConfig(place, canaryPort));
      return {
        file: "nginx",
        args: ["-p", directory, "-e", "stderr", "-c", file],
      };
    },
  };
}

function renderConfig({ port, directory }: Place, canaryPort: number): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${directory}/backend-${kind};`,
  );
  return `
daemon off;
worker_processes 1;
pid ${directory}/backend.pid;
events { worker_connections 16384; }
http {
  ${temporary.join("\n  ")}
  access_log off;
  sendfile on;
  tcp_nopush on;
  open_file_cache max=10;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  client_body_buffer_size 64k;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    listen 127.0.0.1:${canaryPort} backlog=4096;
    location = ${TINY_PATH} { return 200 "ok\\n"; }
    location = ${LARGE_PATH} { root ${directory}; }
  }
}
`;
}
