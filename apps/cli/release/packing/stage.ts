import {
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join, sep } from "node:path";
import type { ServiceFile } from "../../../../lib/service-file.js";
import { CliError, EXIT } from "../../exit-status.js";
import { runTar } from "./archive.js";

export interface Staging {
  file: Pick<ServiceFile, "build" | "include" | "artifact">;
  /** The service's folder in the checkout. It loses what is staged. */
  checkout: string;
  /** The service's folder in the working tree, which has an artifact that no build makes. */
  folder: string;
  stage: string;
  /** An artifact must be as new: the time of the commit or of the build's begin, in ms. */
  since: number;
}

/** Collects the files of a release in `stage`. @throws CliError that names what is missing */
export function stageFiles(staging: Staging): void {
  const { file, checkout, stage } = staging;
  if (file.artifact !== undefined) unpackArtifact(file.artifact, staging);
  else if (file.include === undefined) renameSync(checkout, stage);
  else moveIncluded(file.include, staging);
  // The service's own .serin would look like a part of the release's description.
  rmSync(join(stage, ".serin"), { recursive: true, force: true });
  if (readdirSync(stage).length === 0)
    throw new CliError(EXIT.problem, "the release would hold no file");
}

function moveIncluded(
  include: readonly string[],
  { file, checkout, stage }: Staging,
): void {
  const missing = include.filter((path) => !existsSync(join(checkout, path)));
  if (missing.length > 0) {
    const why =
      file.build === undefined
        ? "not in the commit: commit it, or make it by a build"
        : "neither in the commit nor made by the build: correct build or include";
    throw new CliError(
      EXIT.problem,
      `include names ${missing.join(", ")}, which is ${why}`,
    );
  }
  const root = realpathSync(checkout);
  const outside = include.find((path) => {
    const parent = realpathSync(dirname(join(checkout, path)));
    return parent !== root && !parent.startsWith(root + sep);
  });
  if (outside !== undefined)
    throw new CliError(
      EXIT.problem,
      `include names ${outside}, which is reached through a link that leaves the service's folder: let the build copy it`,
    );
  const isWithinAnother = (path: string) =>
    include.some((other) => path !== other && path.startsWith(other + sep));
  mkdirSync(stage, { recursive: true });
  for (const path of include.filter((one) => !isWithinAnother(one))) {
    mkdirSync(dirname(join(stage, path)), { recursive: true });
    renameSync(join(checkout, path), join(stage, path));
  }
}

function unpackArtifact(
  artifact: string,
  { file, checkout, folder, stage, since }: Staging,
): void {
  const isBuilt = file.build !== undefined;
  const path = join(isBuilt ? checkout : folder, artifact);
  if (!existsSync(path))
    throw new CliError(
      EXIT.problem,
      isBuilt
        ? `the build did not make the artifact ${artifact}: correct build or artifact`
        : `there is no artifact ${path}: make it, or let serin.yml's build make it`,
    );
  // Some file systems keep whole seconds.
  if (statSync(path).mtimeMs < since - 1000)
    throw new CliError(
      EXIT.problem,
      `the artifact ${path} is older than the ${isBuilt ? "build" : "commit"}: make it again${isBuilt ? " in the build" : " from this commit"}`,
    );
  mkdirSync(stage, { recursive: true });
  runTar("-xz", `--file=${path}`, "-C", stage);
}
