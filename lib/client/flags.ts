import type { IncomingMessage, ServerResponse } from "node:http";
import type { FlagDetails } from "../flag/flag-details.js";

/** A service's flags in memory: no method waits for Redis, or throws because Redis is away. */
export interface Flags {
  /**
   * Whether the flag is on. The fallback, which is false by default, counts until Redis has answered once, and for a flag that
   * nobody has ever set. Only the flag that lets the canary in is on until somebody sets it. While it is off, every other flag
   * is off too.
   */
  isOn: (name: string, fallback?: boolean) => boolean;
  /** The flag's value and where it comes from; undefined where `isOn` returns the fallback. */
  detailsOf: (name: string) => FlagDetails | undefined;
  /** Ms since Redis last confirmed the flags; null before its first answer. */
  readonly ageMs: number | null;
  /** Why no flag is known yet; null after Redis's first answer. */
  readonly whyUnknown: string | null;
  /** Reads further flags. Resolves when they are known, or after `timeoutMs`, a second by default. */
  watch: (names: readonly string[], timeoutMs?: number) => Promise<void>;
  /** Called with the names of the flags whose value has changed. */
  onChange: (listener: (names: string[]) => void) => void;
  /** Middleware that puts the flags on the request, as `request.flags`. */
  express: () => Middleware;
  /** Middleware that answers 503 while the flag is off or unknown. */
  require: (name: string) => Middleware;
  /** Closes the connections. The flags keep their values. */
  close: () => void;
}

/** For Express, Connect and `node:http`. */
export type Middleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (err?: unknown) => void,
) => void;

/** Each option but the last two takes the place of an environment variable. */
export interface FlagsOptions {
  /** `SERIN_REDIS_URL` */
  redisUrl?: string;
  /** `KEY_PREFIX` */
  keyPrefix?: string;
  /** `FLAG_NAME`: the flag that lets the canary in. */
  flagName?: string;
  /** `FLAGS`: further flags to read from the start. Others are read from when they are first asked for. */
  flags?: readonly string[];
  /** Longest wait for Redis at the start; a second by default. */
  timeoutMs?: number;
  /** Receives a line about each outage and each malformed flag; `console.warn` by default. */
  onWarning?: (line: string) => void;
}

declare global {
  // Express's types are extended like this.
  // eslint-disable-next-line @typescript-eslint/no-namespace
  namespace Express {
    interface Request {
      flags: Flags;
    }
  }
}
