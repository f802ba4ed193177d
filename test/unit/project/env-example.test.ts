import { readFileSync } from "node:fs";
import { expect } from "chai";
import { readConfig as readAgentConfig } from "../../../apps/agent/config.js";
import { readConfig as readAppConfig } from "../../../apps/app/config.js";
import { readConfig as readCliConfig } from "../../../apps/cli/config.js";
import { readConfig as readMonitorConfig } from "../../../apps/monitor/config.js";
import { readConfig as readProxyConfig } from "../../../apps/proxy/config.js";
import type { Environment } from "../../../lib/settings/settings.js";

const EXAMPLE = new URL("../../../../.env.example", import.meta.url);

/** Settings with which each program reads all of its variables. */
const COMPLETE: [(env: Environment) => unknown, Environment][] = [
  [readAppConfig, { ROLE: "prod" }],
  [readProxyConfig, {}],
  [readAgentConfig, { TARGET: "prod", APP_PID: "1" }],
  [readCliConfig, { ADMIN_TOKEN: "t" }],
  [readMonitorConfig, { ADMIN_TOKEN: "t" }],
  [
    readMonitorConfig,
    {
      ALERT_WEBHOOK_URL: "https://example.com/hook",
      ALERT_WEBHOOK_SECRET: "sixteen characters",
    },
  ],
  [
    readMonitorConfig,
    { ALERT_TRANSPORT: "smtp", ...addresses(), SMTP_URL: "smtp://localhost" },
  ],
  [
    readMonitorConfig,
    { ALERT_TRANSPORT: "ses", ...addresses(), AWS_REGION: "eu-central-1" },
  ],
];

function addresses() {
  return { ALERT_FROM: "a@example.com", ALERT_TO: "b@example.com" };
}

/** The names of the variables that `readConfig` reads. */
function namesRead(
  readConfig: (env: Environment) => unknown,
  values: Environment,
): string[] {
  const names = new Set<string>();
  const env = new Proxy(values, {
    get(target, name: string) {
      names.add(name);
      return target[name];
    },
  });
  readConfig(env);
  return [...names];
}

describe(".env.example", () => {
  it("lists exactly the variables that the programs read", () => {
    const listed = readFileSync(EXAMPLE, "utf8")
      .split("\n")
      .map((line) => /^([A-Z_]+)=/.exec(line)?.[1])
      .filter((name) => name !== undefined);
    const read = COMPLETE.flatMap(([readConfig, values]) =>
      namesRead(readConfig, values),
    );
    expect(listed).to.have.members([...new Set(read)]);
  });

  it("has defaults that each program accepts", () => {
    const lines = readFileSync(EXAMPLE, "utf8").split("\n");
    const defaults = Object.fromEntries(
      lines.flatMap((line) => {
        const [, name, value] = /^([A-Z_]+)=(\S*)/.exec(line) ?? [];
        return name === undefined ? [] : [[name, value]];
      }),
    ) as Environment;
    readAppConfig({ ...defaults, ROLE: "canary" });
    readProxyConfig(defaults);
    readAgentConfig({ ...defaults, TARGET: "canary", APP_PID: "1" });
    readMonitorConfig(defaults);
    readCliConfig(defaults);
  });
});
