import { once } from "node:events";
import { createServer } from "node:net";

/** What `npm start` listens on: as in apps/launcher/config.ts, which cannot be read before the packages are installed. */
export const PORTS = {
  PROXY_PORT: 8080,
  ADMIN_PORT: 8081,
  MONITOR_PORT: 8090,
  PROD_PORT: 3001,
  CANARY_PORT: 3002,
  PROD_AGENT_PORT: 3101,
  CANARY_AGENT_PORT: 3102,
};

/** An app that the user runs, by these variables, needs no port here. */
const URLS = { PROD_PORT: "PROD_URLS", CANARY_PORT: "CANARY_URLS" };

/** @returns a sentence for each port that is in use; others wait for the launcher's own check */
export async function findBusyPorts(env = process.env) {
  const needed = Object.entries(PORTS).filter(([name]) => !env[URLS[name]]);
  const sentences = await Promise.all(
    needed.map(async ([variable, fallback]) => {
      const named = variable === "ADMIN_PORT" ? env.ADMIN_HOST : env.HOST;
      const host = named || "127.0.0.1";
      const port = Number(env[variable] || fallback);
      const isBusy = port > 0 && port < 65536 && (await isInUse(port, host));
      return isBusy
        ? [
            `port ${port} is in use: set ${variable} to another, or to 0 for a free one`,
          ]
        : [];
    }),
  );
  const busy = sentences.flat();
  return busy.length === 0
    ? []
    : [...busy, "Is another `npm start` or `serin dev` running?"];
}

async function isInUse(port, host) {
  const server = createServer();
  server.listen({ port, host, exclusive: true });
  try {
    await once(server, "listening");
    return false;
  } catch (err) {
    return err.code === "EADDRINUSE";
  } finally {
    server.close();
  }
}
