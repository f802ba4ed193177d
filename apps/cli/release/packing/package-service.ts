import {
  existsSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import {
  readServiceFile,
  type ServiceFile,
} from "../../../../lib/service-file.js";
import { formatBytes, formatMs } from "../../../../lib/wording/units.js";
import { CliError, EXIT } from "../../exit-status.js";
import {
  countChanges,
  describeCommit,
  findPlace,
  type Commit,
} from "../repository/commit.js";
import type { WorkingTree } from "../repository/working-tree.js";
import { writeArchive } from "./archive.js";
import { runBuild } from "./build.js";
import { checkOut } from "./checkout.js";
import { writeDescription } from "./description.js";
import { checkWritable, examine } from "./examine.js";
import { stageFiles } from "./stage.js";

export interface Packing {
  tree: WorkingTree;
  /** The name of its serin.yml. */
  fileName: string;
  revision: string;
  signal: AbortSignal;
  /** Prints a line. */
  say: (line: string) => void;
}

export interface Package {
  /** The path of the tarball. */
  path: string;
  commit: Commit;
  /** serin.yml as the commit has it. */
  file: ServiceFile;
}

/**
 * Builds a commit in a clean checkout and packs it as `artifacts/<service>-<release>.tar.gz`. A build that depends only on the
 * commit gives the same bytes on any machine at any time.
 *
 * @throws CliError, ServiceFileError
 */
export async function packageService(packing: Packing): Promise<Package> {
  const { tree, revision, say } = packing;
  const commit = describeCommit(tree, revision);
  const changes = revision === "HEAD" ? countChanges(tree) : 0;
  if (changes > 0)
    say(
      `warning: ${changes} changed ${changes === 1 ? "file is" : "files are"} not committed, and not in the release`,
    );
  const work = mkdtempSync(join(tmpdir(), "serin-package-"));
  try {
    return await packCommit(commit, packing, work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function packCommit(
  commit: Commit,
  packing: Packing,
  work: string,
): Promise<Package> {
  const { tree, fileName, signal, say } = packing;
  const { folder, env } = tree;
  checkOut(tree, commit.commit, join(work, "checkout"));
  const place = findPlace(tree);
  const checkout = join(work, "checkout", place);
  if (!existsSync(join(checkout, fileName)))
    throw new CliError(
      EXIT.usage,
      `${fileName} is not in commit ${commit.commit.slice(0, 10)}: commit it first`,
    );
  if (realpathSync(checkout) !== join(realpathSync(work), "checkout", place))
    throw new CliError(
      EXIT.usage,
      `${place} is reached through a link in commit ${commit.commit.slice(0, 10)}: commit the folder itself`,
    );
  const file = readServiceFile(join(checkout, fileName));
  const artifacts = join(folder, "artifacts");
  const begunAt = Date.now();
  if (file.build !== undefined) {
    say(`building ${commit.release}: ${file.build}`);
    const log = join(artifacts, "logs", `${commit.release}-build.log`);
    await runBuild({
      ...{ command: file.build, folder: checkout },
      ...{ env, log, signal },
    });
    say(`built in ${formatMs(Date.now() - begunAt)}`);
  }
  const stage = join(work, "stage");
  const since =
    file.build === undefined ? Date.parse(commit.committedAt) : begunAt;
  stageFiles({ file, checkout, folder, stage, since });
  checkWritable(stage, file.writable);
  writeDescription(stage, { file, commit, architecture: examine(stage) });
  const path = writeArchive({
    ...{ stage, artifacts, program: file.service },
    ...{ release: commit.release, at: commit.committedAt },
  });
  say(`packed ${basename(path)}, ${formatBytes(statSync(path).size)}`);
  return { path, commit, file };
}
