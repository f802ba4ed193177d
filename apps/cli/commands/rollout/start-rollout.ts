import { existsSync } from "node:fs";
import { packedRelease } from "../../../../lib/program/release.js";
import { specSchema, type Spec } from "../../../../lib/rollout/spec.js";
import { readServiceFile } from "../../../../lib/service-file.js";
import type { Side } from "../../../../lib/telemetry/telemetry.js";
import { CliError, EXIT, type ExitStatus } from "../../exit-status.js";
import { readReportFromRedis } from "../../sources/redis-report.js";
import type { CommandContext } from "../command-context.js";
import { changeRollout, type Person } from "./change-rollout.js";

export interface StartOptions extends Person {
  candidate: string | undefined;
  stable: string | undefined;
  /** The path of a serin.yml. Without one the default steps hold. */
  file: string;
}

/** `serin rollout start`: a rollout of the release that the canary hosts run. @throws CliError */
export async function startRollout(
  parts: CommandContext,
  { file, ...options }: StartOptions,
): Promise<ExitStatus> {
  const spec = readSpec(file);
  const store = await parts.link.open();
  const { hosts } = await readReportFromRedis(store);
  const releaseOf = (side: Side) => {
    const on = hosts.filter(({ target }) => target === side);
    return new Set(
      on.map(({ version }) => packedRelease(version ?? "unknown")),
    );
  };
  const candidate =
    options.candidate ??
    requireOne(releaseOf("canary"), { side: "canary", option: "--candidate" });
  const stable =
    options.stable ??
    requireOne(releaseOf("prod"), { side: "prod", option: "--stable" });
  if (candidate === stable)
    throw new CliError(
      EXIT.refused,
      `the canary runs ${stable}, like prod: deploy a release to the canary first`,
    );
  const request = { verb: "start", candidate, stable, spec } as const;
  return await changeRollout(parts, request, options);
}

function readSpec(file: string): Spec {
  if (!existsSync(file)) return specSchema.parse({});
  const { rollout, analysis } = readServiceFile(file);
  return { rollout, analysis };
}

function requireOne(
  releases: ReadonlySet<string>,
  { side, option }: { side: Side; option: string },
): string {
  const [release, ...others] = releases;
  if (release !== undefined && others.length === 0 && release !== "unknown")
    return release;
  const what =
    release === undefined
      ? `no agent of the ${side} hosts reports`
      : `the ${side} hosts run ${[...releases].join(", ")}`;
  throw new CliError(EXIT.problem, `${what}: name the release with ${option}`);
}
