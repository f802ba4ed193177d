import { fileURLToPath } from "node:url";
import { randomBytes } from "node:crypto";
import { ENGINE_NAMES } from "../../../apps/proxy/engines/engine.js";
import type { Product } from "./product.js";

export const ENGINES = ENGINE_NAMES;

const MAIN = fileURLToPath(
  new URL("../../../apps/proxy/main.js", import.meta.url),
);
const TAP = new URL("./leak-tap.js", import.meta.url).href;

/** The proxy with one of its engines and short timeouts. By default it sends all requests to prod. */
export function describeEngine(engine: (typeof ENGINES)[number]): Product {
  return {
    name: `serin ${engine}`,
    isOurs: true,
    describe: ({ port, upstreamPort, redisUrl, node, env }) => ({
      file: node,
      args: ["--enable-source-maps", "--expose-gc", "--import", TAP, MAIN],
      ipc: true,
      env: {
        PROXY_ENGINE: engine,
        PORT: String(port),
        ADMIN_PORT: "0",
        PROD_URLS: `http://127.0.0.1:${upstreamPort}`,
        CANARY_URLS: `http://127.0.0.1:${upstreamPort}`,
        SPLIT: "1:0",
        REDIS_URL: redisUrl,
        KEY_PREFIX: `conformance-${randomBytes(6).toString("hex")}:`,
        RESPONSE_TIMEOUT_MS: "2000",
        HEADERS_TIMEOUT_MS: "2000",
        DRAIN_MS: "2000",
        ...env,
      },
    }),
  };
}
