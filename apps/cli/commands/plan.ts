import { EXIT, type ExitStatus } from "../exit-status.js";
import type { CommandContext } from "./command-context.js";
import { drawPlan } from "./plan-page.js";

/** `serin plan` @returns 5 while too little is known */
export async function showPlan(
  { monitor, output }: CommandContext,
  options: {
    minutes: number;
    weight?: readonly number[];
    json: boolean;
  },
): Promise<ExitStatus> {
  const { minutes, weight: weights } = options;
  const plan = await monitor.readPlan({ minutes, weights });
  if (options.json) output.json(plan);
  else drawPlan(plan, output).forEach(output.line);
  return plan.missing === null ? EXIT.ok : EXIT.undecided;
}
