import { mkdirSync, rmSync } from "node:fs";
import {
  openWorkingTree,
  type WorkingTree,
} from "../repository/working-tree.js";
import { runTar } from "./archive.js";

/** Writes the files of a commit, the whole repository's, to `folder`. Their time is the commit's. */
export function checkOut(
  tree: WorkingTree,
  commit: string,
  folder: string,
): void {
  // Below the top, git archive would take only that folder.
  const top = openWorkingTree(
    tree.git("rev-parse", "--show-toplevel"),
    tree.env,
  );
  mkdirSync(folder, { recursive: true });
  const tar = `${folder}.tar`;
  top.git("archive", "--format=tar", `--output=${tar}`, commit);
  runTar("-x", `--file=${tar}`, "-C", folder);
  rmSync(tar);
}
