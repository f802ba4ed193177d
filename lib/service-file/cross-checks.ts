import type * as z from "zod";

const SIDES = ["prod", "canary", "edge"] as const;

/** A problem that no single value explains; `sentence` says it with its cure. */
export function reject(
  context: z.RefinementCtx,
  path: (string | number)[],
  sentence: string,
): void {
  context.addIssue({
    code: "custom",
    path,
    message: sentence,
    params: { isSentence: true },
  });
}

/** Two sides on one host would share ports and CPU. */
export function checkServers(
  servers: Record<(typeof SIDES)[number], string[]>,
  context: z.RefinementCtx,
): void {
  const seen = new Map<string, string>();
  for (const side of SIDES)
    for (const [place, name] of servers[side].entries()) {
      const other = seen.get(name);
      if (other !== undefined && other !== side)
        reject(
          context,
          [side, place],
          `${name} is in servers.${other} and in servers.${side}: give each its own host`,
        );
      seen.set(name, side);
    }
}

/** A mailer needs a sender; two mailers would both send. */
export function checkMailer(
  alerts: {
    to: string[];
    from?: string | undefined;
    ses?: string | undefined;
    smtp?: string | undefined;
  },
  context: z.RefinementCtx,
): void {
  const { to, from, ses, smtp } = alerts;
  if (ses !== undefined && smtp !== undefined)
    reject(context, ["smtp"], "alerts has ses and smtp: give one of them");
  const mailer = ses === undefined ? "smtp" : "ses";
  if (ses === undefined && smtp === undefined) return;
  if (from === undefined)
    reject(
      context,
      [mailer],
      `alerts.${mailer} needs a sender: give alerts.from, such as serin@example.com`,
    );
  if (to.length === 0)
    reject(
      context,
      [mailer],
      `alerts.${mailer} needs recipients: give alerts.to, such as [ops@example.com]`,
    );
}

/** A folder within a kept one is kept with it; a link of its own would lie in the other's files. */
export function checkWritable(paths: string[], context: z.RefinementCtx): void {
  for (const [place, path] of paths.entries()) {
    const above = paths.find((other) => path.startsWith(`${other}/`));
    if (above !== undefined)
      reject(
        context,
        [place],
        `${path} is below ${above}, which is kept with all that is in it: remove ${path} from writable`,
      );
  }
}

/** Fields that contradict each other. */
export function checkFields(
  content: {
    artifact?: string | undefined;
    include?: string[] | undefined;
    flag: string;
    flags: string[];
    instances: number;
    ports: {
      prod: number;
      canary: number;
      admin?: number | undefined;
      monitor?: number | undefined;
    };
    proxy: { port: number };
  },
  context: z.RefinementCtx,
): void {
  const { artifact, include, flag, flags, instances, ports, proxy } = content;
  if (artifact !== undefined && include !== undefined)
    reject(
      context,
      ["include"],
      "artifact and include are both there: give one of them",
    );
  if (flags.includes(flag))
    reject(
      context,
      ["flags", flags.indexOf(flag)],
      `${flag} is the flag that lets the canary in: remove it from flags`,
    );
  for (const side of ["prod", "canary"] as const)
    checkPorts({ side, first: ports[side], instances }, context);
  checkEdgePorts({ ...ports, proxy: proxy.port }, context);
}

/** Proxy and monitor share the edge hosts. */
function checkEdgePorts(
  given: {
    proxy: number;
    admin?: number | undefined;
    monitor?: number | undefined;
  },
  context: z.RefinementCtx,
): void {
  const { proxy, admin = proxy + 1, monitor = proxy + 10 } = given;
  if (new Set([proxy, admin, monitor]).size < 3)
    reject(
      context,
      ["ports"],
      `the edge needs three ports, and proxy.port is ${proxy}, ports.admin ${admin} and ports.monitor ${monitor}: give each its own`,
    );
  if (Math.max(admin, monitor) > 65_535)
    reject(
      context,
      ["proxy", "port"],
      `proxy.port is ${proxy}: give at most 65525, because its status and the dashboard take ports up to 10 above`,
    );
}

/** An instance's agent listens 100 above it. */
function checkPorts(
  given: { side: string; first: number; instances: number },
  context: z.RefinementCtx,
): void {
  const { side, first, instances } = given;
  const last = first + 10 * (instances - 1) + 100;
  if (last > 65_535)
    reject(
      context,
      ["ports", side],
      `ports.${side} is ${first}: give at most ${first - (last - 65_535)}, because ${instances} instances and their agents take ports up to 100 above the last`,
    );
}
