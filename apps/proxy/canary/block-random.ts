const ROUNDS = 10;
const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const KEY_STEP_0 = 0x9e3779b9;
const KEY_STEP_1 = 0xbb67ae85;
const WORD = 2 ** 32;

/**
 * Random numbers for one block, uniform in [0, 1). Seed and block determine the sequence.
 *
 * @param seed two words of 32 bits
 * @param block a whole number from 0
 */
export function createBlockRandom(
  seed: Uint32Array,
  block: number,
): () => number {
  let drawn = 0;
  let words: Philox4 = [0, 0, 0, 0];
  const key: Philox2 = [seed[0] ?? 0, seed[1] ?? 0];
  const [low, high] = [block % WORD, Math.floor(block / WORD)];
  return () => {
    const place = drawn % 4;
    if (place === 0) words = philox([low, high, drawn / 4, 0], key);
    drawn += 1;
    return (words[place] ?? 0) / WORD;
  };
}

export type Philox2 = readonly [number, number];
export type Philox4 = readonly [number, number, number, number];

/**
 * Philox4x32-10, a counter-based generator: counter and key determine the words, without state.
 * J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.3.
 */
export function philox(counter: Philox4, key: Philox2): Philox4 {
  let [a, b, c, d] = counter;
  let [key0, key1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const mixed0 = highWord(MULTIPLIER_1, c) ^ b ^ key0;
    const mixed1 = highWord(MULTIPLIER_0, a) ^ d ^ key1;
    b = Math.imul(MULTIPLIER_1, c);
    d = Math.imul(MULTIPLIER_0, a);
    a = mixed0;
    c = mixed1;
    key0 = (key0 + KEY_STEP_0) | 0;
    key1 = (key1 + KEY_STEP_1) | 0;
  }
  return [a >>> 0, b >>> 0, c >>> 0, d >>> 0];
}

/** The upper half of the product of two words. */
function highWord(x: number, y: number): number {
  const [xHigh, xLow] = [x >>> 16, x & 0xffff];
  const [yHigh, yLow] = [y >>> 16, y & 0xffff];
  const middle = xHigh * yLow + ((xLow * yLow) >>> 16);
  const carry = xLow * yHigh + (middle & 0xffff);
  return xHigh * yHigh + (middle >>> 16) + (carry >>> 16);
}
