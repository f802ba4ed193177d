import { FlagSet } from "../flag/flag-set.js";
import { FlagWatch } from "../flag/flag-watch.js";
import { createKeys } from "../redis/keys.js";
import { FLAGS, STORE_SETTINGS } from "../settings/base-config.js";
import { readSettings, type Environment } from "../settings/settings.js";
import type { Flags, FlagsOptions } from "./flags.js";
import { requireFlag } from "./require-flag.js";
import { createWarner } from "./warner.js";

export type { FlagDetails } from "../flag/flag-details.js";
export type { Flags, FlagsOptions, Middleware } from "./flags.js";

const TIMEOUT_MS = 1000;

const SETTINGS = {
  ...STORE_SETTINGS,
  redisUrl: { ...STORE_SETTINGS.redisUrl, name: "SERIN_REDIS_URL" },
  flags: FLAGS,
};

/**
 * Connects to Redis and reads the flags. Without Redis it resolves after `timeoutMs`, and the flags become known when Redis is
 * there. @throws if a setting is malformed
 */
export async function createFlags(options: FlagsOptions = {}): Promise<Flags> {
  const { timeoutMs = TIMEOUT_MS, onWarning = warn } = options;
  const { redisUrl, keyPrefix, flagName, flags } = readConfig(options);
  const watch = new FlagWatch({
    redisUrl,
    flagName,
    program: "client",
    keys: createKeys(keyPrefix),
    readsInfo: true,
    logger: createWarner(onWarning),
  });
  const set = new FlagSet(watch, flagName);
  await set.know([flagName, ...flags], timeoutMs);
  return createClient(watch, set);
}

function createClient(watch: FlagWatch, set: FlagSet): Flags {
  const detailsOf = (name: string) => {
    const evaluation = set.evaluate(name);
    return typeof evaluation === "string" ? undefined : evaluation;
  };
  const flags: Flags = {
    isOn: (name, fallback = false) => detailsOf(name)?.value ?? fallback,
    detailsOf,
    get ageMs() {
      const { confirmedAt } = watch.current ?? {};
      return confirmedAt === undefined ? null : performance.now() - confirmedAt;
    },
    get whyUnknown() {
      if (watch.current !== undefined) return null;
      return watch.refusal ?? "Redis has not answered yet";
    },
    watch: (names, timeoutMs = TIMEOUT_MS) => set.know(names, timeoutMs),
    onChange: (listener) => set.onChange(listener),
    express: () => (request, _response, next) => {
      Object.assign(request, { flags });
      next();
    },
    require: (name) => requireFlag(flags, name),
    close: () => watch.close(),
  };
  return flags;
}

function readConfig(options: FlagsOptions) {
  const given: Environment = {
    SERIN_REDIS_URL: options.redisUrl,
    KEY_PREFIX: options.keyPrefix,
    FLAG_NAME: options.flagName,
    FLAGS: options.flags?.join(","),
  };
  const isGiven = ([, value]: [string, unknown]) => value !== undefined;
  const overrides = Object.fromEntries(Object.entries(given).filter(isGiven));
  return readSettings({ ...process.env, ...overrides }, SETTINGS);
}

function warn(line: string): void {
  console.warn(line);
}
