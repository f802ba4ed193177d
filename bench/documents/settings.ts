import * as z from "zod";
import { SETTINGS as AGENT } from "../../apps/agent/config.js";
import { SETTINGS as APP } from "../../apps/app/config.js";
import { SETTINGS as CLI } from "../../apps/cli/config.js";
import { SETTINGS as RELEASE } from "../../apps/cli/release/config.js";
import { PORTS } from "../../apps/launcher/config.js";
import { SETTINGS as MONITOR } from "../../apps/monitor/config.js";
import { SETTINGS as PROXY } from "../../apps/proxy/config.js";
import { BASE_SETTINGS } from "../../lib/settings/base-config.js";
import {
  listSettings,
  type Setting,
  type SettingsTree,
} from "../../lib/settings/settings.js";
import { renderMarkdown } from "../compare/tables.js";

const SERVICES = { app: APP, proxy: PROXY, agent: AGENT, monitor: MONITOR };
const PROGRAMS: Record<string, SettingsTree> = {
  ...SERVICES,
  serin: { ...RELEASE, ...CLI },
  "serin dev": PORTS,
};
const HEADINGS: Record<string, string> = {
  "app, proxy, agent, monitor": "all programs",
  "app, proxy": "app and proxy",
  serin: "serin, the command line",
  "serin dev": "serin dev: ports instead of serin.yml's (0: a free one)",
};

/** All settings, by heading: the services that read them, or the command. */
function listSections(): Map<string, Setting[]> {
  const sections = new Map<string, Setting[]>();
  const all = [BASE_SETTINGS, RELEASE, ...Object.values(PROGRAMS)];
  const byName = new Map<string, Setting>();
  for (const one of all.flatMap(listSettings))
    if (!byName.has(one.name)) byName.set(one.name, one);
  for (const one of byName.values()) {
    const readers = readersOf(one);
    const services = readers.filter((program) => program in SERVICES);
    const key = (services.length > 0 ? services : readers).join(", ");
    const heading = HEADINGS[key] ?? key;
    sections.set(heading, [...(sections.get(heading) ?? []), one]);
  }
  return sections;
}

function readersOf({ name }: Setting): string[] {
  return Object.entries(PROGRAMS).flatMap(([program, settings]) =>
    listSettings(settings).some((one) => one.name === name) ? [program] : [],
  );
}

const HEAD = `# Every variable that a program reads, with its default. Made by \`npm run docs\`.
# Programs read their environment only. To use this file:
#   set -a; . ./.env; set +a; node dist/apps/proxy/main.js
`;

/** .env.example */
export function renderExample(): string {
  const sections = [...listSections()].map(([heading, settings]) => {
    const lines = settings.map((one) => {
      const value = String(one.default ?? "");
      const assignment = `${one.name}=${value.includes(" ") ? `"${value}"` : value}`;
      return `${assignment.padEnd(34)} # ${meaningOf(one)}\n`;
    });
    return `\n# --- ${heading}\n${lines.join("")}`;
  });
  return HEAD + sections.join("");
}

/** The tables of docs/settings.md. */
export function renderSettings(): string {
  const head = ["variable", "default", "takes", "meaning"];
  return [...listSections()]
    .map(([heading, settings]) => {
      const rows = settings.map((one) =>
        [
          `\`${one.name}\``,
          (one.default ?? "") === "" ? "" : `\`${one.default}\``,
          one.takes.description ?? "",
          meaningOf(one),
        ].map((cell) => cell.replaceAll("|", "\\|")),
      );
      return `## ${heading}\n\n${renderMarkdown([head, ...rows])}`;
    })
    .join("\n\n");
}

/** A JSON Schema of a map of settings, such as `serin_monitor_settings` of an inventory. */
export function settingsSchema(): Record<string, unknown> {
  const settings = [...listSections().values()].flat();
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Settings of Serin's programs",
    type: "object",
    properties: Object.fromEntries(
      settings.map((one) => [one.name, describeProperty(one)]),
    ),
    additionalProperties: false,
  };
}

function describeProperty(one: Setting): object {
  return {
    ...z.toJSONSchema(one.takes, { io: "input" }),
    $schema: undefined,
    description: `${meaningOf(one)} (${one.takes.description})`,
    ...(one.default !== undefined && { default: one.default }),
    readBy: readersOf(one),
  };
}

function meaningOf({ meaning, isRequired }: Setting): string {
  return isRequired ? `${meaning}; required` : meaning;
}
