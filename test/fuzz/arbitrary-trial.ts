import fc, { type Arbitrary } from "fast-check";
import { FRAGMENTS, REQUESTS, RESPONSES } from "./recorded.js";
import type { Trial } from "./trial.js";

const MESSAGES_LIMIT = 4;
const MUTATIONS_LIMIT = 4;
const CUTS_LIMIT = 3;
const BYTE_VALUES = 256;

type Mutation = (text: string) => string;

/** A position in a text, as a fraction of its length. */
const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

function at(text: string, where: number): number {
  return Math.floor(where * (text.length + 1));
}

const insertion = fc
  .tuple(place, fc.constantFrom(...FRAGMENTS))
  .map(([where, fragment]): Mutation => {
    return (text) => {
      const i = at(text, where);
      return text.slice(0, i) + fragment + text.slice(i);
    };
  });

/** Inserts at the start of a line: a fragment within a word rarely has a meaning. */
const insertionAtLine = fc
  .tuple(place, fc.constantFrom(...FRAGMENTS))
  .map(([where, fragment]): Mutation => {
    return (text) => {
      const lines = text.split(/(?<=\r\n)/);
      const i = Math.floor(where * lines.length);
      return [...lines.slice(0, i), fragment, ...lines.slice(i)].join("");
    };
  });

const change = fc
  .tuple(place, fc.nat({ max: BYTE_VALUES - 1 }))
  .map(([where, byte]): Mutation => {
    return (text) => {
      const i = at(text, where);
      return text.slice(0, i) + String.fromCharCode(byte) + text.slice(i + 1);
    };
  });

const removal = fc
  .tuple(place, fc.integer({ min: 1, max: 30 }))
  .map(([where, length]): Mutation => {
    return (text) => {
      const i = at(text, where);
      return text.slice(0, i) + text.slice(i + length);
    };
  });

const repetition = fc.tuple(place, place).map(([where, until]): Mutation => {
  return (text) => {
    const [from, to] = [at(text, where), at(text, until)];
    return text.slice(0, to) + text.slice(Math.min(from, to));
  };
});

const truncation = place.map((where): Mutation => {
  return (text) => text.slice(0, at(text, where));
});

const mutation = fc.oneof(
  { arbitrary: insertion, weight: 3 },
  { arbitrary: insertionAtLine, weight: 4 },
  { arbitrary: change, weight: 3 },
  { arbitrary: removal, weight: 2 },
  { arbitrary: repetition, weight: 1 },
  { arbitrary: truncation, weight: 1 },
);

/** Concatenates recorded messages, mutates them and cuts them into pieces. */
function arbitraryPieces(
  recorded: readonly string[],
  messages: number,
): Arbitrary<string[]> {
  return fc
    .record({
      texts: fc.array(fc.constantFrom(...recorded), {
        minLength: 1,
        maxLength: messages,
      }),
      mutations: fc.array(mutation, { maxLength: MUTATIONS_LIMIT }),
      cuts: fc.array(place, { maxLength: CUTS_LIMIT }),
    })
    .map(({ texts, mutations, cuts }) => {
      const whole = mutations.reduce(
        (text, mutate) => mutate(text),
        texts.join(""),
      );
      return cutAt(whole, cuts);
    });
}

function cutAt(text: string, cuts: readonly number[]): string[] {
  const places = cuts.map((where) => at(text, where)).sort((a, b) => a - b);
  const pieces = [0, ...places].map((from, i) => text.slice(from, places[i]));
  return pieces.filter((piece) => piece !== "");
}

/** Arbitrary bytes from one of the peers. */
export const ARBITRARY_TRIAL: Arbitrary<Trial> = fc.oneof(
  fc.record({
    from: fc.constant("client" as const),
    pieces: arbitraryPieces(REQUESTS, MESSAGES_LIMIT),
    ending: fc.constant("open" as const),
    method: fc.constant("GET"),
    isPipelined: fc.constant(true),
  }),
  fc.record({
    from: fc.constant("upstream" as const),
    pieces: arbitraryPieces(RESPONSES, 2),
    ending: fc.constantFrom("open", "end", "reset"),
    method: fc.constantFrom("GET", "HEAD", "POST"),
    isPipelined: fc.boolean(),
  }),
);

/** @throws when `run` rejects a trial, with the seed and the smallest trial that fails */
export async function fuzz(
  run: (trial: Trial) => Promise<void>,
  options: { seed: number; runs: number },
): Promise<void> {
  await fc.assert(fc.asyncProperty(ARBITRARY_TRIAL, run), {
    seed: options.seed,
    numRuns: options.runs,
  });
}
