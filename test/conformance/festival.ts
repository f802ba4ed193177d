import type { Case } from "./case.js";
import type { Theatre } from "./theatre.js";

/** Theatres that play at the same time: most cases wait for something most of the time. */
const THEATRES = 4;
/** How many of the cases behind the one that is asked for are begun with it. */
const AHEAD = 3 * THEATRES;

/** Plays many cases, several at once, in about the order in which their verdicts are asked for. */
export class Festival {
  readonly #cases: readonly Case[];
  readonly #theatres: readonly Theatre[];
  readonly #free: Theatre[];
  readonly #waiting: ((theatre: Theatre) => void)[] = [];
  readonly #verdicts = new Map<Case, Promise<void>>();
  #isOver = false;

  constructor(cases: readonly Case[], createTheatre: () => Theatre) {
    this.#cases = cases;
    this.#theatres = Array.from({ length: THEATRES }, createTheatre);
    this.#free = [...this.#theatres];
  }

  async open(): Promise<void> {
    for (const theatre of this.#theatres) await theatre.open();
  }

  /** Waits until a case has been played. @throws Fault, or whatever kept it from being played */
  async verdictOn(wanted: Case): Promise<void> {
    const first = this.#cases.indexOf(wanted);
    for (const soon of this.#cases.slice(first, first + AHEAD))
      void this.#begin(soon);
    await this.#begin(wanted);
  }

  async close(): Promise<void> {
    this.#isOver = true;
    for (const theatre of this.#theatres) await theatre.close();
    await Promise.allSettled(this.#verdicts.values());
  }

  #begin(played: Case): Promise<void> {
    let verdict = this.#verdicts.get(played);
    if (verdict === undefined) {
      verdict = this.#play(played);
      // Nobody may ask for it.
      verdict.catch(() => undefined);
      this.#verdicts.set(played, verdict);
    }
    return verdict;
  }

  async #play(played: Case): Promise<void> {
    const theatre =
      this.#free.pop() ??
      (await new Promise<Theatre>((resolve) => this.#waiting.push(resolve)));
    try {
      if (!this.#isOver) await theatre.play(played);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(theatre);
      else next(theatre);
    }
  }
}
