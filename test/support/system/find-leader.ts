import type { ChildProgram } from "./child-program.js";
import type { System } from "./system.js";

/** The leader and the standby of two monitors. */
export async function findLeader(
  system: System,
): Promise<{ leader: ChildProgram; standby: ChildProgram }> {
  const { lease } = await system.state();
  const holder = lease?.holder ?? "nobody";
  const [first, second] = system.monitors;
  if (first === undefined || second === undefined)
    throw new Error("the system does not have two monitors");
  return holder.includes(`:${first.port}#`)
    ? { leader: first, standby: second }
    : { leader: second, standby: first };
}
