import * as z from "zod";
import type { Ledger, LedgerEvent } from "../../../lib/flag/ledger.js";
import type { Harm } from "../../../lib/telemetry/harm.js";
import { compareIds, entryTimeMs } from "../../../lib/redis/stream-entry.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import { readKnownData } from "./message/known-data.js";
import { commitOf } from "../../../lib/wording/release-name.js";
import type { Background, Change } from "./message/report.js";

const HOUR_MS = 3_600_000;
const MAX_READ = 200;

const text = z.string().optional().catch(undefined);
/** What a deploy records. */
const deployData = z.object({
  release: text,
  before: text,
  commit: text,
  author: text,
  subject: text,
});

/**
 * Reads what an event's message says beside the event's own data.
 *
 * @param present what is the case now, for what the event does not say
 * @throws when Redis is away
 */
export async function readBackground(
  ledger: Pick<Ledger, "readEvents">,
  event: LedgerEvent,
  present: {
    versions: (side: Side) => readonly string[];
    withoutFeature?: string | undefined;
    readHarm?: (stop: LedgerEvent) => Promise<Harm | undefined>;
  },
): Promise<Background> {
  const isStop =
    event.kind === "flip" &&
    event.data.value === false &&
    event.by !== "operator";
  const [harm, flips, deploys] = await Promise.all([
    isStop ? present.readHarm?.(event) : undefined,
    ledger.readEvents({ kind: "flip", limit: MAX_READ }),
    ledger.readEvents({ kind: "deploy", limit: MAX_READ }),
  ]);
  const isEarlier = ({ id }: LedgerEvent) => compareIds(id, event.id) < 0;
  const name = (side: Side) => present.versions(side).join(", ") || undefined;
  const known = readKnownData(event.data);
  const version = known.version ?? name("canary");
  return {
    version,
    prodVersion: known.prodVersion ?? name("prod"),
    withoutFeature: present.withoutFeature,
    harm,
    change: findChange(version, deploys.filter(isEarlier)),
    incident: findIncident(event, flips.filter(isEarlier)),
  };
}

/** @param deploys newest first */
function findChange(
  release: string | undefined,
  deploys: readonly LedgerEvent[],
): Change | undefined {
  if (release === undefined) return undefined;
  const found = deploys.find(({ data }) => data.release === release);
  const { commit, before, author, subject } = deployData.parse(
    found?.data ?? {},
  );
  return {
    commit: commit ?? commitOf(release),
    before: commitOf(before),
    author,
    subject,
    deployedAt: found?.at,
  };
}

/**
 * The id of the first flip of the event's incident; undefined if it begins with this event. A resume belongs to the stop
 * before it, and what follows a flip within an hour belongs to that flip's incident.
 *
 * @param flips those before the event, newest first
 */
export function findIncident(
  event: LedgerEvent,
  flips: readonly LedgerEvent[],
): string | undefined {
  let first = event;
  for (const flip of flips) {
    const isSoon = entryTimeMs(first.id) - entryTimeMs(flip.id) < HOUR_MS;
    const isResume = first.kind === "flip" && first.data.value === true;
    if (!isSoon && !isResume) break;
    first = flip;
  }
  return first === event ? undefined : first.id;
}
