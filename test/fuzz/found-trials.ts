import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Trial } from "./trial.js";

const DIRECTORY = fileURLToPath(
  new URL("../../../test/fuzz/found/", import.meta.url),
);

/** Trials that failed once, named after their files. */
export function readFoundTrials(): { name: string; trial: Trial }[] {
  return readdirSync(DIRECTORY)
    .filter((file) => file.endsWith(".json"))
    .map((file) => ({
      name: file.replace(/\.json$/, "").replaceAll("-", " "),
      trial: JSON.parse(readFileSync(`${DIRECTORY}${file}`, "utf8")) as Trial,
    }));
}
