import type { Ledger, LedgerEvent } from "../../../lib/flag/ledger.js";
import { compareIds, entryTimeMs } from "../../../lib/redis/stream-entry.js";
import { nameRelease } from "../../../lib/wording/release-name.js";
import { formatClock } from "../../../lib/wording/units.js";

/** The last deploy of a release, up to an event; undefined if the ledger has none. */
export async function findDeploy(
  ledger: Ledger,
  release: string,
  before?: string,
): Promise<LedgerEvent | undefined> {
  const [deploy] = await ledger.readEvents({
    kind: "deploy",
    limit: 1,
    where: ({ id, data }) =>
      data.release === release &&
      (before === undefined || compareIds(id, before) < 0),
  });
  return deploy;
}

/** `0.2.0-81fd353 by Ann (Faster cart), deployed 11:46:00 UTC` */
export function describeDeploy(deploy: LedgerEvent, now: number): string {
  const { release, author, subject } = deploy.data;
  return [
    nameRelease(String(release)) ?? "",
    ...(typeof author === "string" ? [` by ${author}`] : []),
    ...(typeof subject === "string" ? [` (${subject})`] : []),
    `, deployed ${formatClock(new Date(entryTimeMs(deploy.id)), now)}`,
  ].join("");
}
