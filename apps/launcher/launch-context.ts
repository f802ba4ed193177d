import type { Closers } from "../../lib/program/lifecycle.js";
import type { Reaper } from "./processes/reaper.js";
import type { Screen } from "./screen/screen.js";

export interface LaunchContext {
  screen: Screen;
  /** Kills what the launcher has started if the launcher itself is killed. */
  reaper: Reaper;
  /** Receive each resource as it opens, even if the start fails later. */
  closers: Closers;
  /** Aborts the start. */
  signal: AbortSignal;
}
