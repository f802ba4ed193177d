import {
  decodeDecks,
  encodeDecks,
  type DealtDeck,
  type SentDecks,
} from "./decks.js";

/** In a window. */
export const MOST_HOST_DECKS = { decks: 10, requests: 200 };

const TURN_MS = 600_000;

/** The number of a time's ten minutes, in which all proxies compare the same one of prod's hosts. */
export function turnAt(atMs: number): number {
  return Math.floor(atMs / TURN_MS);
}

/** A round over prod's hosts, in which one of them stands for the canary. */
export interface HostDeck extends DealtDeck {
  /** Its host and port. */
  compared: string;
}

/** On the wire: the decks of one host. */
interface SentHostDecks extends SentDecks {
  /** The number of prod's hosts. */
  hosts: number;
  /** Null without decks. */
  compared: string | null;
}

/** @param decks all of the same host */
export function encodeHostDecks(
  hosts: number,
  decks: readonly HostDeck[],
): SentHostDecks {
  return { hosts, compared: decks[0]?.compared ?? null, ...encodeDecks(decks) };
}

/** @returns undefined if they cannot be right */
export function decodeHostDecks({
  compared,
  ...sent
}: {
  compared: string | null;
  decks: readonly (readonly unknown[])[];
  deckRoutes: readonly string[];
}): HostDeck[] | undefined {
  if (sent.decks.length > MOST_HOST_DECKS.decks) return undefined;
  const decks = decodeDecks(sent);
  if (typeof decks === "string") return undefined;
  if (compared === null) return decks.length === 0 ? [] : undefined;
  return decks.every(({ nc }) => nc === 1)
    ? decks.map((deck) => ({ ...deck, compared }))
    : undefined;
}
