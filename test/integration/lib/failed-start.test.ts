import { createServer } from "node:net";
import { expect } from "chai";
import { readConfig as readAgentConfig } from "../../../apps/agent/config.js";
import { startAgent } from "../../../apps/agent/agent.js";
import { readConfig as readAppConfig } from "../../../apps/app/config.js";
import { startApp } from "../../../apps/app/start.js";
import { readConfig as readMonitorConfig } from "../../../apps/monitor/config.js";
import { startMonitor } from "../../../apps/monitor/monitor.js";
import { readConfig as readProxyConfig } from "../../../apps/proxy/config.js";
import { startProxy } from "../../../apps/proxy/proxy.js";
import { Closers, type Program } from "../../../lib/program/lifecycle.js";
import { createLogger } from "../../../lib/program/log.js";
import type { Environment } from "../../support/programs/program.js";
import { withDefaults } from "../../support/programs/program-process.js";

type Start = (env: Environment, fail: (msg: string) => void) => Promise<number>;

/** Starts it with a log that may throw, closes what it opened, and returns the port that it had. */
function failing<Config extends { logLevel: string }>({
  name,
  readConfig,
  start,
}: Program<Config>): Start {
  return async (env, fail) => {
    let port = 0;
    const logger = createLogger(name, "info", {
      write: (line) => {
        const entry = JSON.parse(line) as { msg: string; port?: number };
        port = entry.port ?? port;
        fail(entry.msg);
      },
    });
    const closers = new Closers(logger);
    const config = readConfig(withDefaults({ DRAIN_MS: "0", ...env }).env);
    const failure = await start(config, { logger, closers }).catch(
      (err: unknown) => err,
    );
    expect(failure).to.be.instanceOf(Error);
    await closers.closeAll();
    return port;
  };
}

const APP_URL = "http://127.0.0.1:9";
const programs: Record<string, [Start, Environment]> = {
  app: [
    failing({ name: "app", readConfig: readAppConfig, start: startApp }),
    { ROLE: "prod" },
  ],
  agent: [
    failing({ name: "agent", readConfig: readAgentConfig, start: startAgent }),
    { TARGET: "prod", APP_PID: String(process.pid), APP_URL },
  ],
  proxy: [
    failing({ name: "proxy", readConfig: readProxyConfig, start: startProxy }),
    { ADMIN_PORT: "0" },
  ],
  monitor: [
    failing({
      name: "monitor",
      readConfig: readMonitorConfig,
      start: startMonitor,
    }),
    {},
  ],
};

describe("a program whose start fails", () => {
  for (const [name, [start, env]] of Object.entries(programs)) {
    it(`closes all that the ${name} has opened in its last step`, async () => {
      const port = await start(env, (msg) => {
        if (msg === `${name} listens`) throw new Error("the last step fails");
      });
      expect(port).to.be.above(0);
      const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(
        () => "refused",
      );
      expect(answer).to.equal("refused");
    });

    // Nothing may keep the process alive: mocha checks that for this file.
    it(`closes all that the ${name} has opened when its port is taken`, async () => {
      const other = createServer().listen(0, "127.0.0.1");
      await new Promise((resolve) => other.once("listening", resolve));
      const { port } = other.address() as { port: number };
      try {
        await start({ ...env, PORT: String(port) }, () => undefined);
      } finally {
        other.close();
      }
    });
  }
});
