/** The package http-proxy, used as in its readme with a keep-alive agent, to compare our engines with. */
import { Agent, createServer } from "node:http";
import httpProxy from "http-proxy";

const { PORT, UPSTREAM_PORT } = process.env;

const proxy = httpProxy.createProxyServer({
  target: `http://127.0.0.1:${UPSTREAM_PORT ?? ""}`,
  agent: new Agent({ keepAlive: true, maxFreeSockets: 1100 }),
  proxyTimeout: 2000,
  ws: true,
});
proxy.on("error", (_err, _request, response) => {
  if ("writeHead" in response && !response.headersSent)
    response.writeHead(502).end();
  else response.destroy();
});

const server = createServer((request, response) =>
  proxy.web(request, response),
);
server.on("upgrade", (request, socket, head) =>
  proxy.ws(request, socket, head),
);
server.listen(Number(PORT), "127.0.0.1");
