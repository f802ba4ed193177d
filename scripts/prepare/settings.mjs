import { readFileSync } from "node:fs";
import { join } from "node:path";

const PROGRAMS = ["proxy", "agent", "monitor"];
/** The launcher gives these itself. */
const GIVEN = new Set([
  ...["PORT", "TARGET", "APP_URL", "APP_PID", "APP_PIDFILE", "APP_UNIT"],
]);

/**
 * What can be said of the settings by their JSON Schema, before the packages are installed. The launcher reads them all.
 *
 * @returns a sentence for each bad one
 */
export function findBadSettings(root, env = process.env) {
  const path = join(root, "docs/settings.schema.json");
  const { properties } = JSON.parse(readFileSync(path, "utf8"));
  return Object.entries(properties).flatMap(([name, schema]) => {
    const text = env[name] ?? "";
    const isRead =
      !GIVEN.has(name) && schema.readBy.some((one) => PROGRAMS.includes(one));
    if (text === "" || !isRead || accepts(schema, text)) return [];
    const shown = schema.writeOnly
      ? "malformed (value not shown)"
      : JSON.stringify(text);
    return [`${name} is ${shown}: ${schema.description}`];
  });
}

/** @param schema in the forms that lib/settings/values.ts makes */
function accepts(schema, text) {
  if (schema.anyOf) return schema.anyOf.some((one) => accepts(one, text));
  if (schema.const !== undefined) return text === schema.const;
  if (schema.enum) return schema.enum.includes(text);
  if (schema.type === "string")
    return new RegExp(schema.pattern ?? "", "u").test(text);
  const form = schema.type === "integer" ? /^\d{1,15}$/ : /^\d+(\.\d+)?$/;
  const { minimum = -Infinity, maximum = Infinity } = schema;
  return form.test(text) && Number(text) >= minimum && Number(text) <= maximum;
}
