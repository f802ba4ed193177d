import { serviceFileSchema } from "../../lib/service-file.js";
import { renderMarkdown } from "../compare/tables.js";

/** A part of a JSON Schema. */
interface Part {
  description?: string;
  default?: unknown;
  required?: readonly string[];
  properties?: Readonly<Record<string, Part>>;
  additionalProperties?: Part | boolean;
  anyOf?: readonly Part[];
  items?: Part;
}

/** The table of serin.yml's fields. */
export function renderServiceFields(): string {
  const head = ["field", "default", "meaning"];
  return renderMarkdown([head, ...listFields(serviceFileSchema(), "")]);
}

function listFields(object: Part, prefix: string): string[][] {
  return Object.entries(object.properties ?? {}).flatMap(([name, part]) => {
    const isRequired = object.required?.includes(name) ?? false;
    const row = [
      `\`${prefix}${name}\``,
      isRequired ? "required" : describeDefault(part),
      part.description ?? "",
    ];
    const { items } = part;
    const below = `${prefix}${name}${items?.properties ? "[]" : ""}.`;
    return [row, ...listFields(items ?? withFields(part), below)];
  });
}

/** Of a field that takes a value or an object: the object. */
function withFields(part: Part): Part {
  return part.anyOf?.find(({ properties }) => properties) ?? part;
}

function describeDefault({ default: value }: Part): string {
  if (typeof value === "string") return `\`${value}\``;
  return typeof value === "number" ? String(value) : "";
}
