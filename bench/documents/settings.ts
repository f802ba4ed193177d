import { readConfig as readAgentConfig } from "../../apps/agent/config.js";
import { readConfig as readAppConfig } from "../../apps/app/config.js";
import { readConfig as readCliConfig } from "../../apps/cli/config.js";
import { readReleaseConfig } from "../../apps/cli/release/config.js";
import { readConfig as readMonitorConfig } from "../../apps/monitor/config.js";
import { readConfig as readProxyConfig } from "../../apps/proxy/config.js";
import {
  SettingsError,
  type Environment,
} from "../../lib/settings/settings.js";
import { renderMarkdown } from "../compare/tables.js";

export type ReadConfig = (env: Environment) => unknown;

const MAILED = {
  ALERT_FROM: "a@example.com",
  ALERT_TO: "b@example.com",
};

/** Settings that make each program read all of its variables. */
export const COMPLETE: readonly (readonly [
  program: string,
  readConfig: ReadConfig,
  env: Environment,
])[] = [
  ["app", readAppConfig, { ROLE: "prod" }],
  ["proxy", readProxyConfig, {}],
  ["agent", readAgentConfig, { TARGET: "prod", APP_PID: "1" }],
  ["serin", readCliConfig, { ADMIN_TOKEN: "t" }],
  ["serin", readReleaseConfig, {}],
  [
    "monitor",
    readMonitorConfig,
    {
      ADMIN_TOKEN: "t",
      ALERT_WEBHOOK_URL: "https://example.com/hook",
      ALERT_WEBHOOK_SECRET: "sixteen characters",
    },
  ],
  [
    "monitor",
    readMonitorConfig,
    { ALERT_TRANSPORT: "smtp", ...MAILED, SMTP_URL: "smtp://localhost" },
  ],
  [
    "monitor",
    readMonitorConfig,
    { ALERT_TRANSPORT: "ses", ...MAILED, AWS_REGION: "eu-central-1" },
  ],
];

/** One line of `.env.example`. */
export interface ExampleLine {
  name: string;
  value: string;
  meaning: string;
}

/** The lines of `.env.example`, by the heading above them. */
export function readExample(text: string): Map<string, ExampleLine[]> {
  const sections = new Map<string, ExampleLine[]>();
  let lines: ExampleLine[] = [];
  for (const line of text.split("\n")) {
    const heading = /^# --- (.+)$/.exec(line)?.[1];
    if (heading !== undefined) sections.set(heading, (lines = []));
    const [, name, value = "", meaning = ""] =
      /^([A-Z_]+)=(\S*)(?:\s+# (.+))?$/.exec(line) ?? [];
    if (name !== undefined) lines.push({ name, value, meaning });
  }
  return sections;
}

/** The tables of docs/settings.md. The accepted values come from the programs' errors for a bad value. */
export function renderSettings(example: string): string {
  return [...readExample(example)]
    .map(([heading, lines]) => {
      const rows = lines.map(({ name, value, meaning }) =>
        [
          `\`${name}\``,
          value === "" ? "" : `\`${value}\``,
          takes(name),
          meaning,
        ].map((cell) => cell.replaceAll("|", "\\|")),
      );
      const head = ["variable", "default", "takes", "meaning"];
      return `## ${heading}\n\n${renderMarkdown([head, ...rows])}`;
    })
    .join("\n\n");
}

/** The programs' error for a bad value of a variable, by program if they differ. */
function takes(name: string): string {
  const byProgram = new Map<string, string>();
  for (const [program, readConfig, env] of COMPLETE) {
    const bad = { ...env, [name]: "\0" };
    const right = complaintAbout(name, () => readConfig(bad));
    if (right !== undefined) byProgram.set(program, right);
  }
  const [first, ...others] = new Set(byProgram.values());
  if (others.length === 0) return first ?? "any text";
  return [...byProgram]
    .map(([program, right]) => `${program}: ${right}`)
    .join("; ");
}

function complaintAbout(name: string, read: () => unknown): string | undefined {
  try {
    read();
  } catch (err) {
    if (!(err instanceof SettingsError)) throw err;
    const problem = err.problems.find((it) => it.startsWith(`${name} `));
    return problem?.slice(problem.indexOf(": give ") + ": give ".length);
  }
  return undefined;
}
