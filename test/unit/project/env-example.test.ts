import { expect } from "chai";
import * as z from "zod";
import { readConfig as readAgentConfig } from "../../../apps/agent/config.js";
import { readConfig as readAppConfig } from "../../../apps/app/config.js";
import { readConfig as readCliConfig } from "../../../apps/cli/config.js";
import { readReleaseConfig } from "../../../apps/cli/release/config.js";
import { PORTS } from "../../../apps/launcher/config.js";
import { readConfig as readMonitorConfig } from "../../../apps/monitor/config.js";
import { readConfig as readProxyConfig } from "../../../apps/proxy/config.js";
import {
  renderExample,
  settingsSchema,
} from "../../../bench/documents/settings.js";
import {
  listSettings,
  type Environment,
} from "../../../lib/settings/settings.js";

const MAILED = { ALERT_FROM: "a@example.com", ALERT_TO: "b@example.com" };

/** Settings that make each program read all of its variables. */
const COMPLETE: [read: (env: Environment) => unknown, env: Environment][] = [
  [readAppConfig, { ROLE: "canary" }],
  [readProxyConfig, {}],
  [readAgentConfig, { TARGET: "canary" }],
  [readCliConfig, {}],
  [readReleaseConfig, {}],
  [readMonitorConfig, {}],
  [
    readMonitorConfig,
    { ALERT_TRANSPORT: "smtp", ...MAILED, SMTP_URL: "smtp://localhost" },
  ],
  [
    readMonitorConfig,
    { ALERT_TRANSPORT: "ses", ...MAILED, AWS_REGION: "eu-central-1" },
  ],
];

/** The names and defaults of .env.example. */
const example = Object.fromEntries(
  renderExample()
    .split("\n")
    .flatMap((line) => {
      const [, name, quoted, value = ""] =
        /^([A-Z_]+)=(?:"(.*)"|(\S*))/.exec(line) ?? [];
      return name === undefined ? [] : [[name, quoted ?? value] as const];
    }),
);

describe(".env.example", () => {
  it("lists exactly the variables that the programs read", () => {
    const read = new Set(listSettings(PORTS).map(({ name }) => name));
    for (const [readConfig, env] of COMPLETE)
      readConfig(
        new Proxy(env, {
          get(target, name: string) {
            read.add(name);
            return target[name];
          },
        }),
      );
    expect(Object.keys(example)).to.have.members([...read]);
  });

  it("has the programs' own defaults", () => {
    for (const [readConfig, env] of COMPLETE)
      expect(toPlain(readConfig({ ...example, ...env }))).to.deep.equal(
        toPlain(readConfig(env)),
      );
  });
});

describe("the JSON Schema of the settings", () => {
  const schema = z.fromJSONSchema(settingsSchema());

  it("takes each default as it stands there", () => {
    const { properties } = settingsSchema() as {
      properties: Record<string, { default?: unknown }>;
    };
    const defaults = Object.entries(properties).flatMap(([name, one]) =>
      one.default === undefined ? [] : [[name, one.default] as const],
    );
    expect(defaults).to.have.length.above(50);
    const { error } = schema.safeParse(Object.fromEntries(defaults));
    expect(error?.issues ?? []).to.deep.equal([]);
  });

  for (const bad of [
    { SPLIT: 9 },
    { LATENCY_THRESHOLD_MS: "fast" },
    { LATENCY_THRESHOLD_MS: 0 },
    { VERDICT: "maybe" },
    { WORKERS: 129 },
    { FLAG_NAME: "a/b" },
    { THRESHOLD: 500 },
  ])
    it(`rejects ${JSON.stringify(bad)}`, () =>
      expect(schema.safeParse(bad).success).to.equal(false));

  it("accepts what programs accept", () => {
    const good = { SPLIT: "9:1", WORKERS: "auto", LATENCY_QUANTILE: 0.99 };
    expect(schema.safeParse(good).success).to.equal(true);
  });
});

/** A URL as its text: chai takes any two for equal. */
function toPlain(config: unknown): unknown {
  return JSON.parse(JSON.stringify(config));
}
