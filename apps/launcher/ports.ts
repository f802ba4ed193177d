import { randomInt } from "node:crypto";
import { createServer, type AddressInfo, type Server } from "node:net";
import { LaunchError, type PortWish } from "./config.js";

const TRIES = 20;
const LOWEST_PORT = 20_000;
/** On Linux; on other systems ephemeral ports begin higher. */
const LOWEST_EPHEMERAL_PORT = 32_768;

/**
 * Finds a distinct free port for each wish, and releases all of them before it returns.
 *
 * @throws LaunchError that names all unavailable ports and their variables
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
        "these ports are not available:",
        ...refusals,
        "Is another `serin dev` running? 0 selects a free port.",
      ].join("\n  "),
      2,
    );
  return Object.fromEntries(ports) as Record<Name, number>;
}

/**
 * Prefers a port below the ephemeral range. The system never assigns such a port to another socket, so it is still free when
 * the program starts or restarts.
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
        err.code === "EADDRINUSE"
          ? "is in use"
          : `is not allowed (${err.message})`;
      resolve(`${port} for ${user} ${why}: set ${variable} to another port`);
    });
    server.listen({ host, port, exclusive: true }, () => resolve(server));
  });
}

function release(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
