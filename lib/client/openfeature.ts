import {
  FlagNotFoundError,
  OpenFeatureEventEmitter,
  ProviderEvents,
  ProviderNotReadyError,
  TypeMismatchError,
  type Provider,
  type ResolutionDetails,
} from "@openfeature/server-sdk";
import { FLAG_STALE_MS } from "../flag/flag-set.js";
import { toResolution } from "../flag/flag-details.js";
import { createFlags } from "./client.js";
import type { Flags, FlagsOptions } from "./flags.js";

const FRESHNESS_INTERVAL_MS = 500;
/** Longest an evaluation waits for a flag that is asked for the first time. */
const FIRST_READ_MS = 100;

/**
 * An OpenFeature provider for servers. Without Redis it becomes ready too, so that a service starts: evaluations then return
 * their default, and the provider emits `Stale`, as it does 5 s after Redis has gone.
 */
export class SerinProvider implements Provider {
  readonly metadata = { name: "serin" } as const;
  readonly runsOn = "server" as const;
  readonly events: OpenFeatureEventEmitter = new OpenFeatureEventEmitter();
  readonly #source: FlagsOptions | Flags;
  #flags: Flags | undefined;
  #freshness: NodeJS.Timeout | undefined;
  #isStale = false;

  /** @param source flags that are open already, which the provider does not close, or how to open some */
  constructor(source: FlagsOptions | Flags = {}) {
    this.#source = source;
  }

  async initialize(): Promise<void> {
    const source = this.#source;
    const flags = isOpen(source) ? source : await createFlags(source);
    this.#flags = flags;
    flags.onChange((flagsChanged) =>
      this.events.emit(ProviderEvents.ConfigurationChanged, { flagsChanged }),
    );
    this.#freshness = setInterval(
      () => this.#noteFreshness(flags),
      FRESHNESS_INTERVAL_MS,
    );
    this.#freshness.unref();
  }

  onClose(): Promise<void> {
    clearInterval(this.#freshness);
    if (!isOpen(this.#source)) this.#flags?.close();
    return Promise.resolve();
  }

  async resolveBooleanEvaluation(
    flagKey: string,
  ): Promise<ResolutionDetails<boolean>> {
    const flags = this.#flags;
    const whyUnknown =
      flags === undefined ? "not initialized" : flags.whyUnknown;
    if (flags === undefined || whyUnknown !== null)
      throw new ProviderNotReadyError(whyUnknown ?? "");
    await flags.watch([flagKey], FIRST_READ_MS);
    const details = flags.detailsOf(flagKey);
    if (details === undefined)
      throw new FlagNotFoundError(`nobody has set the flag ${flagKey}`);
    const { metadata, ...resolution } = toResolution(details);
    const confirmedAgoMs = Math.round(details.ageMs);
    return { ...resolution, flagMetadata: { ...metadata, confirmedAgoMs } };
  }

  resolveStringEvaluation(flagKey: string): Promise<never> {
    return rejectType(flagKey);
  }

  resolveNumberEvaluation(flagKey: string): Promise<never> {
    return rejectType(flagKey);
  }

  resolveObjectEvaluation(flagKey: string): Promise<never> {
    return rejectType(flagKey);
  }

  #noteFreshness({ ageMs, whyUnknown }: Flags): void {
    const isStale = ageMs === null || ageMs > FLAG_STALE_MS;
    if (isStale === this.#isStale) return;
    this.#isStale = isStale;
    const message = whyUnknown ?? "Redis does not answer";
    if (isStale) this.events.emit(ProviderEvents.Stale, { message });
    else this.events.emit(ProviderEvents.Ready);
  }
}

function isOpen(source: FlagsOptions | Flags): source is Flags {
  return "isOn" in source;
}

function rejectType(flagKey: string): Promise<never> {
  return Promise.reject(
    new TypeMismatchError(`${flagKey} is a boolean, as all flags of Serin`),
  );
}
