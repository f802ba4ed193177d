import { dirname, join } from "node:path";
import type { Survey } from "./survey.js";

/** For `run` where nothing says how the service starts. */
const UNKNOWN_RUN =
  "echo 'serin.yml: let run say how the service starts' >&2; exit 1";

const TO_FILL_IN = `# Before \`npx serin setup\`: Linux servers with SSH. The edge runs the proxy, the monitor and Redis.
# servers:
#   prod: [10.0.0.11, 10.0.0.12]
#   canary: [10.0.0.13]
#   edge: [10.0.0.14]
# ssh: { user: admin }

# Who gets mails when a canary is stopped: through Amazon SES, or \`smtp: smtps://mail.example.com\`.
# alerts: { to: [ops@example.com], from: serin@example.com, ses: eu-central-1 }
`;

/** The serin.yml of a survey, with a comment where a reader may ask. */
export function renderServiceFile(survey: Survey, schemaPath: string): string {
  const { service, run, build, health, before } = survey;
  const { secret } = survey.variables;
  const clear = { ...survey.clear, ...survey.variables.clear };
  const env = [
    ...field("  clear", clear, "part of a release, as its code is"),
    ...field(
      "  secret",
      secret,
      "values: the shell for dev, the vault for hosts",
    ),
  ];
  return [
    `# yaml-language-server: $schema=${schemaPath}`,
    `# All fields: ${join(dirname(schemaPath), "your-service.md")}`,
    "",
    `service: ${service.value}`,
    `run: ${scalar(run?.value ?? UNKNOWN_RUN)} # gets PORT, HOST, SERIN_SIDE and SERIN_RELEASE`,
    ...field(
      "build",
      build?.value,
      "once, in a clean checkout; the hosts get the folder as it is then",
    ),
    `health: ${scalar(health?.value ?? "none")} # a path that answers 2xx when the service is ready`,
    ...(env.length > 0 ? ["env:", ...env] : []),
    ...(before
      ? [
          "hooks:",
          ...field("  before", before.value, "once, before a release starts"),
        ]
      : []),
    "",
    TO_FILL_IN,
  ].join("\n");
}

type Value = string | readonly string[] | Readonly<Record<string, string>>;

/** A line, or none for nothing. */
function field(name: string, value: Value | undefined, why: string): string[] {
  if (value === undefined || Object.keys(value).length === 0) return [];
  return [`${name}: ${format(value)} # ${why}`];
}

function format(value: Value): string {
  if (typeof value === "string") return scalar(value);
  if (Array.isArray(value)) return `[${value.map(scalar).join(", ")}]`;
  const entries = Object.entries(value);
  return `{ ${entries.map(([name, it]) => `${name}: ${scalar(it)}`).join(", ")} }`;
}

/** Unquoted if YAML reads it as this very text, also within brackets. JSON is YAML. */
function scalar(text: string): string {
  const isPlain =
    /^[a-z./][\w ./@$=&|+~-]*$/i.test(text) &&
    !/ $|^(true|false|null|yes|no|on|off|~)$/i.test(text);
  return isPlain ? text : JSON.stringify(text);
}
