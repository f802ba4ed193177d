/** A canary that has just started is cold. The warm-up ends with the first of the two. */
export const WARM_UP_MS = 30_000;
export const WARM_UP_CANARY_REQUESTS = 50;
