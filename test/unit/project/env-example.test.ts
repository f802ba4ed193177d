import { readFileSync } from "node:fs";
import { expect } from "chai";
import { readConfig as readAgentConfig } from "../../../apps/agent/config.js";
import { readConfig as readAppConfig } from "../../../apps/app/config.js";
import { readConfig as readCliConfig } from "../../../apps/cli/config.js";
import { readConfig as readMonitorConfig } from "../../../apps/monitor/config.js";
import { readConfig as readProxyConfig } from "../../../apps/proxy/config.js";
import type { Environment } from "../../../lib/settings/settings.js";
import {
  readExample,
  COMPLETE,
  type ReadConfig,
} from "../../../bench/documents/settings.js";

const EXAMPLE = readFileSync(
  new URL("../../../../.env.example", import.meta.url),
  "utf8",
);
const lines = [...readExample(EXAMPLE).values()].flat();

/** The names of the variables that `readConfig` reads. */
function namesRead(readConfig: ReadConfig, values: Environment): string[] {
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
    const read = COMPLETE.flatMap(([, readConfig, values]) =>
      namesRead(readConfig, values),
    );
    expect(lines.map(({ name }) => name)).to.have.members([...new Set(read)]);
  });

  it("has the programs' own defaults", () => {
    const defaults = Object.fromEntries(
      lines.map(({ name, value }) => [name, value]),
    );
    const required: [ReadConfig, Environment][] = [
      [readAppConfig, { ROLE: "canary" }],
      [readProxyConfig, {}],
      [readAgentConfig, { TARGET: "canary", APP_PID: "1" }],
      [readMonitorConfig, {}],
      [readCliConfig, {}],
    ];
    for (const [readConfig, values] of required)
      expect(toPlain(readConfig({ ...defaults, ...values }))).to.deep.equal(
        toPlain(readConfig(values)),
      );
  });
});

/** A URL as its text: chai takes any two for equal. */
function toPlain(config: unknown): unknown {
  return JSON.parse(JSON.stringify(config));
}
