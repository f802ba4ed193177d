const ROUNDS = 10;
const MULTIPLIERS = [0xd2511f53, 0xcd9e8d57] as const;
const KEY_STEPS = [0x9e3779b9, 0xbb67ae85] as const;
const WORD = 2 ** 32;

/**
 * Random numbers for one block, the same for whoever knows the seed: uniform in [0, 1).
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
  const counter = [block % WORD, Math.floor(block / WORD)] as const;
  return () => {
    const place = drawn % 4;
    if (place === 0) words = philox([...counter, drawn / 4, 0], key);
    drawn += 1;
    return (words[place] ?? 0) / WORD;
  };
}

export type Philox2 = readonly [number, number];
export type Philox4 = readonly [number, number, number, number];

/**
 * Philox4x32-10: the random words that belong to a counter and a key, without any state in between.
 * J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.3.
 */
export function philox(counter: Philox4, key: Philox2): Philox4 {
  let [a, b, c, d] = counter;
  let [key0, key1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const [high0, low0] = multiply(MULTIPLIERS[0], a);
    const [high1, low1] = multiply(MULTIPLIERS[1], c);
    [a, b, c, d] = [high1 ^ b ^ key0, low1, high0 ^ d ^ key1, low0];
    key0 = (key0 + KEY_STEPS[0]) | 0;
    key1 = (key1 + KEY_STEPS[1]) | 0;
  }
  return [a >>> 0, b >>> 0, c >>> 0, d >>> 0];
}

/** Both halves of the product of two words. */
function multiply(x: number, y: number): Philox2 {
  const [xHigh, xLow] = [x >>> 16, x & 0xffff];
  const [yHigh, yLow] = [y >>> 16, y & 0xffff];
  const middle = xHigh * yLow + ((xLow * yLow) >>> 16);
  const carry = xLow * yHigh + (middle % 0x10000);
  const high = xHigh * yHigh + Math.floor(middle / 0x10000);
  return [high + Math.floor(carry / 0x10000), Math.imul(x, y)];
}
