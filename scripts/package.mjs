/**
 * Packs the build of a commit into the tarball that hosts run. The same commit gives the same bytes on any machine at any
 * time.
 *
 *     node scripts/package.mjs [commit]
 *
 * Writes artifacts/serin-<release>.tar.gz, its .sha256, and the links serin.tar.gz and serin.tar.gz.sha256 to them.
 * Uncommitted changes are left out.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeArchive } from "./package/archive.mjs";
import { buildCommit } from "./package/build.mjs";
import { describeCommit, countChanges } from "./package/commit.mjs";
import { stageRelease } from "./package/stage.mjs";
import { Obstacle } from "./prepare/obstacle.mjs";

function packageRelease(revision) {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const release = describeCommit(root, revision);
  const changes = revision === "HEAD" ? countChanges(root) : 0;
  if (changes > 0)
    console.error(
      `package: ${changes} changed files are not committed, and not in the release`,
    );
  const work = mkdtempSync(join(tmpdir(), "serin-package-"));
  try {
    buildCommit(root, release.commit, join(work, "build"));
    stageRelease(release, join(work, "build"), join(work, "stage"));
    const artifacts = join(root, "artifacts");
    mkdirSync(artifacts, { recursive: true });
    console.log(writeArchive(release, join(work, "stage"), artifacts));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

try {
  packageRelease(process.argv[2] ?? "HEAD");
} catch (err) {
  if (!(err instanceof Obstacle)) throw err;
  console.error(`package: ${err.message}`);
  process.exitCode = 1;
}
