import type { VerdictKeeper } from "../../../apps/monitor/control/verdict-keeper.js";
import { encodeDecks, type DealtDeck } from "../../../lib/telemetry/decks.js";
import { encodeHostDecks } from "../../../lib/telemetry/host-decks.js";
import {
  parseTelemetry,
  SIDES,
  type HostSample,
  type Side,
} from "../../../lib/telemetry/telemetry.js";
import { startControl, type Control } from "./control.js";
import { createSeededRandom } from "../seeded-random.js";
import { hostSample, trafficWindow } from "./telemetry.js";
import {
  deckOf,
  healthy,
  routeWindow,
  type Answer,
  type Respond,
} from "./verdict-traffic.js";

/** Feeds a keeper windows of half a second, each with 36 requests to prod and 12 to the canary. */
export class VerdictFeed {
  readonly #control: Control;
  readonly #random = createSeededRandom(77);
  #sequence = 0;
  #at = 0;

  constructor(control: Control) {
    this.#control = control;
  }

  /** The proxy's. */
  split = "3:1";
  route = "GET /get";
  /** The prod host that the canary's requests stand for in decks of prod's hosts; none are sent without one. */
  comparedHost: string | undefined;

  hear(windows: number, respond: Respond, keepers: VerdictKeeper[]): void {
    for (let i = 0; i < windows; i++) {
      this.#control.pass(500);
      this.tick();
      const decks: DealtDeck[] = [];
      const answers: Record<Side, Answer[]> = { prod: [], canary: [] };
      for (let deal = 0; deal < 12; deal++) {
        const dealt = (["canary", "prod", "prod", "prod"] as const).map(
          (side) => {
            const answer = respond(side, this.route, this.#random);
            answers[side].push(answer);
            const atMs = this.#at - 500 + 40 * deal;
            return { ...answer, side, route: this.route, atMs };
          },
        );
        const deck = deckOf(dealt);
        if (deck) decks.push(deck);
      }
      for (const side of SIDES) {
        const data = trafficWindow(side, [], {
          split: this.split,
          dealt: answers[side].length,
          routes: { [this.route]: routeWindow(answers[side]) },
          ...(side === "canary" && encodeDecks(decks)),
          ...(side === "prod" && this.#hostDecksOf(decks)),
        });
        this.hearRaw({ kind: "traffic", data }, keepers);
      }
    }
  }

  #hostDecksOf(decks: readonly DealtDeck[]) {
    const { comparedHost: compared } = this;
    if (compared === undefined) return {};
    const dealt = decks.slice(0, 10).map(({ slot, requests }) => {
      return { slot, np: 1, nc: 1, compared, requests: requests.slice(0, 2) };
    });
    return { hostDecks: encodeHostDecks(2, dealt) };
  }

  hearHost(fields: Partial<HostSample>, keepers: VerdictKeeper[]): void {
    this.tick();
    const data = hostSample("canary", fields);
    this.hearRaw({ kind: "host", data }, keepers);
  }

  /** Sets the time of the entries that follow. Like Redis, it never goes back. */
  tick(): void {
    this.#at = Math.max(Math.round(this.#control.now()), this.#at);
  }

  /** An entry as the stream reader delivers it. */
  hearRaw(
    { kind, data }: { kind: string; data: unknown },
    keepers: VerdictKeeper[],
  ): void {
    const id = `${this.#at}-${this.#sequence++}`;
    const fields = Object.entries({
      kind,
      source: "p",
      at: String(this.#at),
      data: JSON.stringify(data),
    }).flat();
    // Commands on one connection are carried out in order: it is there when a keeper reads it again.
    const { redis, keys } = this.#control.context;
    void redis.xadd(keys.telemetry, id, ...fields);
    const parsed = parseTelemetry(fields);
    for (const keeper of keepers)
      if ("problem" in parsed) keeper.onSkipped(parsed, this.#at, id);
      else keeper.onTelemetry(parsed, this.#at, id);
  }
}

/** A controller whose keeper has enough data on prod to compare the canary. */
export async function startVerdict(env: Record<string, string> = {}) {
  const control = await startControl({ VERDICT_WARM_UP: "0s", ...env });
  const { verdicts } = control.context;
  const feed = new VerdictFeed(control);
  await control.judge();
  feed.hear(10, healthy, [verdicts]);
  await control.judge();
  return { control, verdicts, feed };
}
