import { spawnSync } from "node:child_process";

/** Whether Debian's `prometheus`, which brings promtool, is there. */
export function hasPromtool(): boolean {
  return spawnSync("promtool", ["--version"]).status === 0;
}

/** For `before`: skips what follows where there is no promtool, and says so. */
export function skipWithoutPromtool(this: Mocha.Context): void {
  if (hasPromtool()) return;
  console.warn(
    "SKIPPED: promtool is not installed (apt-get install prometheus)",
  );
  this.skip();
}

/** @returns what it says, empty when it has nothing to say. @throws when it fails, with what it says */
export function promtool(args: readonly string[], input = ""): string {
  const { status, stdout, stderr } = spawnSync("promtool", args, {
    input,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`promtool: ${stdout}${stderr}`);
  return `${stdout}${stderr}`;
}
