/** Arbitrary bytes from one peer of a proxy. Texts are latin1. `found/` keeps trials in this form. */
export interface Trial {
  /** The peer that sends the bytes; the other one behaves properly. */
  from: "client" | "upstream";
  /** Sent in order. */
  pieces: readonly string[];
  /** What the upstream does after its bytes. */
  ending: "open" | "end" | "reset";
  /** Of the request that the upstream answers. */
  method: string;
  /** Whether the client sends its next requests without waiting. */
  isPipelined: boolean;
}
