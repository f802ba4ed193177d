import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Place, Product } from "./product.js";

/** Idle connections that each product keeps to the upstream. */
const KEPT = 1100;

const PLAIN_HTTP_PROXY = fileURLToPath(
  new URL("./plain-http-proxy.js", import.meta.url),
);

/** Other reverse proxies, configured for kept-alive connections as their manuals recommend. */
export const NGINX: Product = {
  name: "nginx",
  isOurs: false,
  needs: { names: ["nginx"], debianPackage: "nginx-light" },
  describe: (place) => {
    const file = join(place.directory, "nginx.conf");
    writeFileSync(file, nginxConfig(place));
    return {
      file: "nginx",
      args: ["-p", place.directory, "-e", "stderr", "-c", file],
    };
  },
};

export const HAPROXY: Product = {
  name: "haproxy",
  isOurs: false,
  needs: { names: ["haproxy"], debianPackage: "haproxy" },
  describe: (place) => {
    const file = join(place.directory, "haproxy.cfg");
    writeFileSync(file, haproxyConfig(place));
    return { file: "haproxy", args: ["-db", "-f", file] };
  },
};

/** The package http-proxy, used as in its readme with a keep-alive agent. */
export const PLAIN_PROXY: Product = {
  name: "http-proxy",
  isOurs: false,
  describe: ({ node, port, upstreamPort }) => ({
    file: node,
    args: ["--no-deprecation", PLAIN_HTTP_PROXY],
    env: { PORT: String(port), UPSTREAM_PORT: String(upstreamPort) },
  }),
};

function nginxConfig({ port, upstreamPort, directory }: Place): string {
  return `
daemon off;
worker_processes 1;
pid ${directory}/nginx.pid;
events { worker_connections 8192; }
http {
  access_log off;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  client_max_body_size 0;
  client_body_buffer_size 64k;
  client_header_timeout 2s;
  keepalive_requests 1000000;
  proxy_read_timeout 2s;
  proxy_max_temp_file_size 0;
  upstream backend {
    server 127.0.0.1:${upstreamPort} max_fails=0;
    keepalive ${KEPT};
    keepalive_requests 1000000;
  }
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header Upgrade $http_upgrade;
    }
  }
}
`;
}

function haproxyConfig({ port, upstreamPort }: Place): string {
  return `
global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout connect 1s
  timeout client 20s
  timeout http-request 2s
  timeout server 2s
  timeout tunnel 20s
  http-reuse always
  option abortonclose
frontend front
  bind 127.0.0.1:${port} backlog 4096
  default_backend back
backend back
  server upstream 127.0.0.1:${upstreamPort} pool-max-conn ${KEPT}
`;
}
