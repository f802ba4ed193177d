import { createHmac, timingSafeEqual } from "node:crypto";
import { entryTimeMs } from "../../../../lib/redis/stream-entry.js";
import type { Choice } from "./effect.js";

/** After the event. */
export const LINK_LIFE_MS = 24 * 3_600_000;

/** The action of a link in a message. It happens when a person confirms it on the link's page. */
export interface ActionLink {
  choice: Choice;
  /** The id of the event that the message reports. */
  event: string;
}

/** Signs and reads links. Without the admin token, nobody else can make one; with another token, old links end. */
export class ActionLinks {
  readonly #key: Buffer;

  /** @param scope for other systems with the same token */
  constructor(adminToken: string, scope: string) {
    this.#key = createHmac("sha256", adminToken)
      .update(`serin action links ${scope}`)
      .digest();
  }

  /** A path relative to the dashboard's address. The same link for the same event. */
  sign(link: ActionLink): string {
    const signature = this.#sign(link).toString("base64url");
    return `actions/${link.choice}?event=${link.event}&signature=${signature}`;
  }

  /** @returns why the link does nothing; undefined if it is valid */
  findFault(
    link: ActionLink,
    signature: unknown,
    nowMs: number,
  ): "forged" | "expired" | undefined {
    const expected = this.#sign(link);
    const text = typeof signature === "string" ? signature : "";
    const presented = Buffer.from(text, "base64url");
    const isGenuine =
      presented.length === expected.length &&
      timingSafeEqual(presented, expected);
    if (!isGenuine) return "forged";
    const ageMs = nowMs - entryTimeMs(link.event);
    return ageMs > LINK_LIFE_MS ? "expired" : undefined;
  }

  #sign({ choice, event }: ActionLink): Buffer {
    return createHmac("sha256", this.#key)
      .update(`${choice} ${event}`)
      .digest();
  }
}
