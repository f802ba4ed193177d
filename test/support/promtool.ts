import { spawnSync } from "node:child_process";
import type { NeededProgram } from "./needed-program.js";

export const PROMTOOL: NeededProgram = {
  names: ["promtool"],
  debianPackage: "prometheus",
};

/** @returns what it says, empty when it has nothing to say. @throws when it fails, with what it says */
export function promtool(args: readonly string[], input = ""): string {
  const { status, stdout, stderr } = spawnSync("promtool", args, {
    input,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`promtool: ${stdout}${stderr}`);
  return `${stdout}${stderr}`;
}
