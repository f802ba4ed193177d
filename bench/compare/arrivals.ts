export type Law = "fixed" | "poisson";

/**
 * The times at which to send requests, in ms from the start: at the given rate, evenly or at random.
 *
 * @param random uniform in [0, 1)
 */
export function* arrivalsMs(options: {
  law: Law;
  requestsPerSecond: number;
  seconds: number;
  random: () => number;
}): Generator<number, void> {
  const { law, requestsPerSecond, seconds, random } = options;
  const meanGapMs = 1000 / requestsPerSecond;
  let atMs = 0;
  for (;;) {
    atMs += law === "fixed" ? meanGapMs : -Math.log(1 - random()) * meanGapMs;
    if (atMs >= seconds * 1000) return;
    yield atMs;
  }
}
