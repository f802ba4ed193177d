import { randomInt } from "node:crypto";
import { createServer, type AddressInfo, type Server } from "node:net";
import { LaunchError } from "./launch-error.js";

const TRIES = 20;
const LOWEST_PORT = 20_000;
/** Linux's; elsewhere they begin higher. */
const LOWEST_EPHEMERAL_PORT = 32_768;

export interface PortWish {
  /** Who is going to listen there. */
  user: string;
  /** The environment variable that changes it. */
  variable: string;
  host: string;
  /** 0 for any free port. */
  port: number;
}

/**
 * Finds a port for each wish. All are free at once and differ from each other, and are let go again before this returns.
 *
 * @throws LaunchError naming all that are taken, with the variables that change them.
 */
export async function findPorts<Name extends string>(
  wishes: Readonly<Record<Name, PortWish>>,
): Promise<Record<Name, number>> {
  const held: Server[] = [];
  const refusals: string[] = [];
  const ports: [string, number][] = [];
  for (const [name, wish] of Object.entries<PortWish>(wishes)) {
    const outcome = await (wish.port === 0 ? holdAny(wish) : hold(wish));
    if (typeof outcome === "string") refusals.push(outcome);
    else {
      held.push(outcome);
      ports.push([name, (outcome.address() as AddressInfo).port]);
    }
  }
  await Promise.all(held.map(release));
  if (refusals.length > 0)
    throw new LaunchError(
      [
        "not all ports can be had:",
        ...refusals,
        "Is another `npm start` running? 0 takes any free port.",
      ].join("\n  "),
    );
  return Object.fromEntries(ports) as Record<Name, number>;
}

/**
 * One that the system gives to no outgoing connection and to nobody else who asks for any, if there is such a one: a program
 * takes it only when it starts, and takes it again when it is started again.
 */
async function holdAny(wish: PortWish): Promise<Server | string> {
  for (let tries = 0; tries < TRIES; tries++) {
    const outcome = await hold({
      ...wish,
      port: randomInt(LOWEST_PORT, LOWEST_EPHEMERAL_PORT),
    });
    if (typeof outcome !== "string") return outcome;
  }
  return await hold(wish);
}

function hold(wish: PortWish): Promise<Server | string> {
  const { user, variable, host, port } = wish;
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (err: NodeJS.ErrnoException) => {
      const why =
        err.code === "EADDRINUSE" ? "is taken" : `is refused (${err.message})`;
      resolve(`${port} for ${user} ${why}: set ${variable} to another`);
    });
    server.listen({ host, port, exclusive: true }, () => resolve(server));
  });
}

function release(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
