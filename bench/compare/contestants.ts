import { fileURLToPath } from "node:url";
import {
  ENGINE_NAMES,
  type EngineName,
} from "../../apps/proxy/engines/engine.js";
import {
  HAPROXY,
  NGINX,
  PLAIN_PROXY,
} from "../../test/support/products/others.js";
import type { Product } from "../../test/support/products/product.js";

const MAIN = fileURLToPath(
  new URL("../../apps/proxy/main.js", import.meta.url),
);

/** Additional ports of our own proxies. */
export interface EnginePorts {
  admin: number;
  canary: number;
}

export interface Engine {
  product: Product;
  ports: EnginePorts;
  keyPrefix: string;
}

const PICK_TAP = new URL("./pick-tap.js", import.meta.url).href;

/**
 * Our proxy as in production, with all defaults: both sides, telemetry, routes, breaker, forwarded headers.
 *
 * @param options.isTapped whether it answers when it last picked the canary
 */
export function createEngine(
  engine: EngineName,
  ports: EnginePorts,
  { isTapped = false } = {},
): Engine {
  const keyPrefix = `bench-${engine}:`;
  const product: Product = {
    name: nameOf(engine),
    isOurs: true,
    describe: ({ port, upstreamPort, redisUrl, node, env }) => ({
      file: node,
      args: [
        "--enable-source-maps",
        ...(isTapped ? ["--import", PICK_TAP] : []),
        MAIN,
      ],
      ipc: isTapped,
      env: {
        TAPPED_PORT: String(ports.canary),
        PROXY_ENGINE: engine,
        PORT: String(port),
        ADMIN_PORT: String(ports.admin),
        PROD_URLS: `http://127.0.0.1:${upstreamPort}`,
        CANARY_URLS: `http://127.0.0.1:${ports.canary}`,
        REDIS_URL: redisUrl,
        KEY_PREFIX: keyPrefix,
        ...env,
      },
    }),
  };
  return { product, ports, keyPrefix };
}

export function nameOf(engine: EngineName): string {
  return `serin ${engine}`;
}

/** No proxy: its CPU for each request is the lower bound for any proxy that serves with `node:http`. */
export const NODE_ALONE: Product = {
  name: "node:http alone",
  isOurs: false,
  describe: ({ node, port }) => ({
    file: node,
    args: [fileURLToPath(new URL("./node-alone-main.js", import.meta.url))],
    env: { PORT: String(port) },
  }),
};

export const OTHERS: readonly Product[] = [NGINX, HAPROXY, PLAIN_PROXY];
export const BASE = NGINX.name;
export const PLAIN = PLAIN_PROXY.name;
/** In the order of the tables. */
export const ENGINE_PRODUCTS = ENGINE_NAMES.toSorted().toReversed().map(nameOf);
export const PRODUCT_NAMES = [
  ...OTHERS.map(({ name }) => name),
  NODE_ALONE.name,
  ...ENGINE_PRODUCTS,
];
