/** Whatever one peer of a proxy may say. Texts are latin1; this is also the form in which found cases are kept. */
export interface Trial {
  /** Whose bytes they are; the other peer behaves. */
  from: "client" | "upstream";
  /** Sent one after the other. */
  pieces: readonly string[];
  /** What the upstream does behind its bytes. */
  ending: "open" | "end" | "reset";
  /** Of the request that the upstream's bytes answer. */
  method: string;
  /** Whether the client sends its further requests at once. */
  isPipelined: boolean;
}
