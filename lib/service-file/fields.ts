import { isIPv4 } from "node:net";
import * as z from "zod";
import { FORMS, text } from "../settings/values.js";
import { parseDuration } from "../wording/units.js";

export function wholeNumber(
  right: string,
  { min, max }: { min: number; max: number },
) {
  return z
    .int({ error: right })
    .min(min, { error: right })
    .max(max, { error: right })
    .meta({ description: right });
}

/** Such as `500ms`, `5s`, `2m` or `1h`, read as ms. */
export function duration(what: string) {
  const right = `a duration such as 500ms, 5s or 2m: ${what}`;
  return text(right, /^\d{1,6}(ms|s|m|h)$/).transform(
    (value) => parseDuration(value) ?? z.NEVER,
  );
}

export function command(what: string) {
  return text(
    `a shell command on one line, ${what}`,
    /^[^\n\r\0]*\S[^\n\r\0]*$/,
  );
}

/** A file or folder below serin.yml, read without superfluous slashes. */
export function pathBelow(what: string) {
  return text(
    `${what}, relative to serin.yml and below it, such as dist`,
    /^(?!\/)(?!(.*\/)?\.{1,2}(\/|$))[^\0\n\\*?[\]]{1,255}$/,
  ).transform((path) => path.split("/").filter(Boolean).join("/"));
}

export function list<T extends z.ZodType>(right: string, item: T) {
  return z
    .array(item, { error: right })
    .superRefine((items, context) => {
      for (const [place, one] of items.entries())
        if (items.indexOf(one) < place)
          context.addIssue({
            code: "custom",
            path: [place],
            message: "each only once",
            input: one,
          });
    })
    .meta({ description: right });
}

export const port = (what: string) =>
  wholeNumber(`a port from 1 to 65535: ${what}`, { min: 1, max: 65_535 });

/** An IPv4 address or a host name. Four numbers are never a name. */
export const host = text(
  "an IPv4 address or a host name, such as 10.0.0.11",
  /^(?=.{1,253}$)[A-Za-z\d]([A-Za-z\d-]*[A-Za-z\d])?(\.[A-Za-z\d]([A-Za-z\d-]*[A-Za-z\d])?)*$/,
).refine((name) => isIPv4(name) || !/^[\d.]+$/.test(name), {
  error: "an IPv4 address or a host name, such as 10.0.0.11",
});

export const flagName = text(
  "a flag's name: 1 to 64 of A-Z a-z 0-9 . _ -",
  FORMS.flagName,
);

const off = z
  .literal("off")
  .or(z.literal(false).transform(() => "off" as const));

/** Off, which YAML 1.1 reads as false, and off by default. */
export function onlyOff(right: string) {
  return z
    .union([off], { error: right })
    .prefault("off")
    .meta({ description: right });
}

/** The same, or another word. */
export function offOr<const Word extends string>(word: Word, right: string) {
  return z
    .union([off, z.literal(word)], { error: right })
    .prefault("off")
    .meta({ description: right });
}

/** On or off, which YAML 1.1 reads as true and false, and off by default. */
export function onOrOff(right: string) {
  const word = z.boolean().transform((isOn) => (isOn ? "on" : "off"));
  return z
    .union([z.enum(["off", "on"]), word], { error: right })
    .prefault("off")
    .meta({ description: right });
}
