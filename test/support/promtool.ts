import { spawnSync } from "node:child_process";
import type { NeededProgram } from "./needed-program.js";

export const PROMTOOL: NeededProgram = {
  names: ["promtool"],
  debianPackage: "prometheus",
};

/** @returns its output @throws with its output if it fails */
export function promtool(args: readonly string[], input = ""): string {
  const { status, stdout, stderr } = spawnSync("promtool", args, {
    input,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`promtool: ${stdout}${stderr}`);
  return `${stdout}${stderr}`;
}
