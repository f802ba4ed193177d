import { isIP } from "node:net";
import * as z from "zod";

/**
 * What settings take. Each schema reads the text of a variable, and its description says what is right, after "give …". Their
 * JSON Schemas describe what is written: a number, a choice or a text.
 */

/** A text that `parse` reads; undefined from it means that the text is malformed. */
export function parsed<T>(
  right: string,
  parse: (text: string) => T | undefined,
) {
  return z
    .string()
    .transform((text, context) => {
      const value = parse(text);
      if (value !== undefined) return value;
      context.addIssue(right);
      return z.NEVER;
    })
    .meta({ description: right });
}

/** `right` is both the cure in an error ("give …") and the description. */
export function text(right: string, form: RegExp) {
  return z
    .string({ error: right })
    .regex(form, { error: right })
    .meta({ description: right });
}

export const anyText = z.string().meta({ description: "any text" });

function numberIf(form: RegExp) {
  return (value: unknown) =>
    typeof value === "string" && form.test(value) ? Number(value) : value;
}

export function wholeNumber(min: number, max: number) {
  return z
    .preprocess(numberIf(/^\d{1,15}$/), z.int().min(min).max(max))
    .meta({ description: `a whole number from ${min} to ${max}` });
}

export function decimal(min: number, max: number) {
  return z
    .preprocess(numberIf(/^\d+(\.\d+)?$/), z.number().min(min).max(max))
    .meta({ description: `a number from ${min} to ${max}` });
}

/** From 1 ms to a day, unless told. */
export function ms(min = 1, max = 86_400_000) {
  const takes = wholeNumber(min, max);
  return takes.meta({ description: `${takes.description}, in ms` });
}

export function choice<const T extends string>(...choices: T[]) {
  return z.enum(choices).meta({ description: `one of ${choices.join(", ")}` });
}

/** Read as whether it is `yes`. */
export function either(no: string, yes: string) {
  const takes = choice(no, yes);
  return takes.transform((chosen) => chosen === yes).meta(takes.meta() ?? {});
}

/** Separated by commas. Only a default can be empty. */
export function list<T>(right: string, part: z.ZodType<T, string>) {
  return z
    .string()
    .transform((value) =>
      value === "" ? [] : value.split(",").map((one) => one.trim()),
    )
    .pipe(z.array(z.string().min(1).pipe(part)))
    .meta({ description: right });
}

/** Keeps the value out of messages. */
export function secret<T>(takes: z.ZodType<T>): z.ZodType<T> {
  return takes.meta({ ...takes.meta(), writeOnly: true });
}

/** What serin.yml takes, too. */
export const FORMS = {
  keyPrefix: /^[\w.:-]{1,64}$/,
  branchName: /^[A-Za-z0-9](?!.*(\.\.|\/\/|\.lock$|[./]$))[\w./-]{0,99}$/,
  flagName: /^[\w.-]{1,64}$/,
  /** A second slash or a backslash would name another host. */
  healthPath: /^(none|\/(?!\/)[\w\-.~%!$&'()*+,;=:@/?]*)$/,
  /** The HTML Standard's "valid e-mail address" (section 4.10.5.1.5), which every transport accepts. */
  mailAddress:
    /^[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z\d](?:[A-Za-z\d-]{0,61}[A-Za-z\d])?(?:\.[A-Za-z\d](?:[A-Za-z\d-]{0,61}[A-Za-z\d])?)*$/,
  awsRegion: /^[a-z]{2,}(-[a-z]+)+-\d+$/,
};

export const flagName = text("1 to 64 of A-Z a-z 0-9 . _ -", FORMS.flagName);

/** With 0, the system selects a free port, and the log names it. */
export const listenPort = wholeNumber(0, 65_535);

export const listenHost = parsed(
  "an address to listen on, such as 127.0.0.1, 0.0.0.0 or localhost",
  (value) => {
    const isHostname =
      /^(?=.{1,253}$)[a-z\d]([a-z\d-]*[a-z\d])?(\.[a-z\d]([a-z\d-]*[a-z\d])?)*$/i.test(
        value,
      );
    return isIP(value) !== 0 || isHostname ? value : undefined;
  },
);

/** @returns undefined for another protocol or no host */
export function parseUrl(
  text: string,
  protocols: readonly string[],
): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.hostname && protocols.includes(url.protocol) ? url : undefined;
}

/** The text of a URL with one of these protocols and a host. */
export function url(right: string, ...protocols: string[]) {
  return parsed(right, (value) =>
    parseUrl(value, protocols) ? value : undefined,
  );
}

/** An origin such as `http://127.0.0.1:3001`: no path, no credentials. */
export function origin(right: string, ...protocols: string[]) {
  return parsed(right, (value) => {
    const found = parseUrl(value, protocols);
    return found?.href === `${found?.origin}/` ? found : undefined;
  });
}

export const httpOrigin = origin("http://host:port without a path", "http:");

export const httpOrigins = list(
  "one or more http://host:port without a path, separated by commas",
  httpOrigin,
);

/** Strict, because ioredis reads a malformed database as 0, and a query could override any option of its client. */
export const redisUrl = secret(
  parsed("redis://[user:password@]host:port[/db] or rediss://…", (value) => {
    const url = parseUrl(value, ["redis:", "rediss:"]);
    const isPlain =
      url?.search === "" &&
      url.hash === "" &&
      /^(\/\d{0,5})?$/.test(url.pathname) &&
      [url.username, url.password].every(isDecodable);
    return isPlain ? value : undefined;
  }),
);

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether the name or address can only mean this host. */
export function isLoopback(host: string): boolean {
  if (host === "localhost" || host === "::1") return true;
  return isIP(host) === 4 && host.startsWith("127.");
}
