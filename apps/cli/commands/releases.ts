import * as z from "zod";
import type { LedgerEvent } from "../../../lib/flag/ledger.js";
import { entryTimeMs } from "../../../lib/redis/stream-entry.js";
import { toPlain } from "../../../lib/wording/plain-text.js";
import { commitOf, nameRelease } from "../../../lib/wording/release-name.js";
import { formatClock } from "../../../lib/wording/units.js";
import { EXIT, type ExitStatus } from "../exit-status.js";
import type { CommandContext } from "./command-context.js";
import { drawTable } from "./members.js";

/** Enough for the releases of weeks to many hosts. */
const MAX_READ = 5000;
const COLUMNS = ["when", "release", "commit", "by", "hosts", "outcome"].map(
  (title) => ({ title, isSpare: ["commit", "by"].includes(title) }),
);

const text = z.string().optional().catch(undefined);
/** What a deploy records. */
const deployData = z.object({
  release: text,
  commit: text,
  author: text,
  subject: text,
  host: text,
  side: text,
  /** `programs` are Serin's own. */
  what: text,
  how: text,
  failed: z.boolean().optional().catch(undefined),
});

/** A release on its way through the hosts. One that comes back after another counts again. */
interface Deployment {
  release: string;
  commit: string | undefined;
  author: string | undefined;
  subject: string | undefined;
  /** Serin's own programs, not the service. */
  isSerin: boolean;
  isRollback: boolean;
  /** Ms since the epoch. */
  startedAt: number;
  endedAt: number;
  /** By side, which is empty if unknown. */
  hosts: Map<string, string[]>;
  /** The hosts that still run it. */
  runsOn: { host: string; side: string }[];
  failedOn: string[];
  /** The first stop of the canary while it ran this release. */
  stop: { at: number; reason: string } | undefined;
}

/** `serin releases`: what was deployed, newest first, from the ledger. @throws if Redis is unreachable */
export async function showReleases(
  { link, output }: CommandContext,
  options: { limit: number; json: boolean },
): Promise<ExitStatus> {
  const { ledger, flagName } = await link.open();
  const [deploys, flips] = await Promise.all([
    ledger.readEvents({ kind: "deploy", limit: MAX_READ }),
    ledger.readEvents({ kind: "flip", limit: MAX_READ }),
  ]);
  const stops = flips.filter(
    ({ data }) => data.flag === flagName && data.value === false,
  );
  const deployments = listDeployments(deploys, stops).slice(0, options.limit);
  if (options.json) output.json(deployments.map(toJson));
  else if (deployments.length === 0)
    output.line("no release is in the ledger: serin release makes one");
  else {
    const now = Date.now();
    const rows = deployments.map((one) => describeDeployment(one, now));
    drawTable(COLUMNS, rows, output).slice(1).forEach(output.line);
  }
  return EXIT.ok;
}

/** @param deploys and stops newest first @returns newest first */
function listDeployments(
  deploys: readonly LedgerEvent[],
  stops: readonly LedgerEvent[],
): Deployment[] {
  const all: Deployment[] = [];
  for (const event of deploys.toReversed()) {
    const data = deployData.parse(event.data);
    const { release, host = "", side = "" } = data;
    if (release === undefined) continue;
    const isSerin = data.what === "programs";
    const last = all.findLast((one) => one.isSerin === isSerin);
    const at = entryTimeMs(event.id);
    const deployment =
      last?.release === release ? last : createDeployment(release, data, at);
    if (deployment !== last) all.push(deployment);
    deployment.endedAt = at;
    deployment.failedOn = deployment.failedOn.filter((one) => one !== host);
    if (data.failed === true) deployment.failedOn.push(host);
    else addHost(all, deployment, { host, side });
  }
  for (const stop of stops) addStop(all, stop);
  return all.toReversed();
}

function createDeployment(
  release: string,
  data: z.infer<typeof deployData>,
  at: number,
): Deployment {
  const { commit = commitOf(release), author, subject, what, how } = data;
  return {
    ...{ release, commit, author, subject },
    isSerin: what === "programs",
    isRollback: how === "rollback",
    startedAt: at,
    endedAt: at,
    hosts: new Map(),
    runsOn: [],
    failedOn: [],
    stop: undefined,
  };
}

/** The host runs no other release of the same kind from then on. */
function addHost(
  all: readonly Deployment[],
  deployment: Deployment,
  place: { host: string; side: string },
): void {
  const { host, side } = place;
  const { hosts, isSerin } = deployment;
  hosts.set(side, [...(hosts.get(side) ?? []), host]);
  for (const one of all)
    if (one.isSerin === isSerin)
      one.runsOn = one.runsOn.filter((other) => other.host !== host);
  deployment.runsOn.push(place);
}

/** A stop belongs to the release that came before it, unless it names another. */
function addStop(all: readonly Deployment[], stop: LedgerEvent): void {
  const at = entryTimeMs(stop.id);
  const { version, brief } = stop.data;
  const found = all.findLast(
    ({ isSerin, startedAt, release }) =>
      !isSerin &&
      startedAt <= at &&
      (typeof version !== "string" || version.split(", ").includes(release)),
  );
  if (found === undefined) return;
  const reason = typeof brief === "string" ? brief : stop.reason;
  // Stops come newest first, so the first one in time stays.
  found.stop = { at, reason };
}

function describeDeployment(deployment: Deployment, now: number): string[] {
  const { release, isSerin, startedAt, commit, author } = deployment;
  return [
    formatClock(new Date(startedAt), now),
    `${isSerin ? "Serin " : ""}${nameRelease(release) ?? release}`,
    commit?.slice(0, 10) ?? "",
    author ?? "",
    describeHosts(deployment),
    describeOutcome(deployment, now),
  ];
}

/** `canary 1, prod 12` */
function describeHosts({ hosts }: Deployment): string {
  return [...hosts]
    .map(([side, names]) => `${side} ${new Set(names).size}`.trim())
    .join(", ");
}

function describeOutcome(deployment: Deployment, now: number): string {
  const { failedOn, stop, endedAt, hosts, isRollback } = deployment;
  if (failedOn.length > 0) return `failed to start on ${failedOn.join(", ")}`;
  const isOnProd = hosts.has("prod");
  if (stop !== undefined && (!isOnProd || stop.at > endedAt))
    return `stopped ${formatClock(new Date(stop.at), now)}: ${toPlain(stop.reason)}`;
  const sides = new Set(deployment.runsOn.map(({ side }) => side));
  const place = sides.has("prod")
    ? "runs on prod"
    : sides.has("canary")
      ? "runs on the canary"
      : "runs";
  const outcome = sides.size === 0 ? "replaced" : place;
  return isRollback ? `${outcome}, a roll-back` : outcome;
}

function toJson(deployment: Deployment): object {
  const { startedAt, endedAt, stop, hosts, ...rest } = deployment;
  const toIso = (ms: number) => new Date(ms).toISOString();
  return {
    ...rest,
    hosts: Object.fromEntries(hosts),
    startedAt: toIso(startedAt),
    endedAt: toIso(endedAt),
    stop: stop === undefined ? null : { ...stop, at: toIso(stop.at) },
  };
}
