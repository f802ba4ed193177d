import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Reaper } from "../../apps/launcher/processes/reaper.js";
import { pathOf } from "../results-file.js";
import { pinned } from "./cores.js";
import type { OpenLoopFigures, OpenLoopOptions } from "./open-loop.js";

export interface Generator {
  node: string;
  cpu: number;
  reaper: Reaper;
}

/** Runs the open-loop generator in its own process. @param onRunning called when it begins to send */
export async function generate(
  { node, cpu, reaper }: Generator,
  options: OpenLoopOptions,
  onRunning: () => void = () => undefined,
): Promise<OpenLoopFigures> {
  const main = pathOf("./compare/open-loop-process.js");
  const [file, ...args] = pinned(cpu, [node, "--enable-source-maps", main]);
  const child = spawn(file, args, {
    detached: true,
    env: { PATH: process.env.PATH, OPTIONS: JSON.stringify(options) },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const pid = child.pid ?? 0;
  reaper.watch(pid);
  let figures: OpenLoopFigures | undefined;
  child.on("message", (message) => {
    if (message === "running") onRunning();
    else figures = message as OpenLoopFigures;
  });
  // Unlike "exit", this event follows the last message.
  await once(child, "close");
  reaper.forget(pid);
  if (figures === undefined) throw new Error("the generator failed");
  return figures;
}
