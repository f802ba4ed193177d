import type { ChildProgram } from "./child-program.js";
import type { System } from "./system.js";

/** Of two monitors the one that leads and the one that stands by. */
export async function findLeader(
  system: System,
): Promise<{ leader: ChildProgram; standby: ChildProgram }> {
  const { lease } = await system.state();
  const holder = lease?.holder ?? "nobody";
  const [first, second] = system.monitors;
  if (first === undefined || second === undefined)
    throw new Error("there are no two monitors");
  return holder.includes(`:${first.port}#`)
    ? { leader: first, standby: second }
    : { leader: second, standby: first };
}
