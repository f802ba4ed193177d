import { lookup } from "node:dns/promises";
import { readdir, readFile, readlink } from "node:fs/promises";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { isLoopback } from "../settings/values.js";

/** The listening process exists, or may exist, but this process cannot see it. The message says why. */
export class HiddenListener extends Error {
  override readonly name = "HiddenListener";
}

/**
 * Finds the process that listens at a URL. Of processes that share the socket, it is the one that started the others. It reads
 * the open files of all processes only when those of the last one do not hold the socket.
 */
export class ListenerFinder {
  readonly #url: URL;
  #last: number | undefined;

  constructor(url: URL) {
    this.#url = url;
  }

  /**
   * @returns its pid, or null if nothing listens there
   * @throws HiddenListener if it is on another host or belongs to another user, or if the system has no /proc
   */
  async find(): Promise<number | null> {
    const { host, hostname, port } = this.#url;
    if (!(await isThisHost(hostname.replace(/^\[|\]$/g, ""))))
      throw new HiddenListener(`${host} is on another host`);
    const sockets = await readListeningSockets(Number(port || "80"));
    if (sockets.size === 0) return null;
    const last = this.#last;
    if (last !== undefined && (await holdsOne(last, sockets))) return last;
    this.#last = await findHolder(sockets);
    if (this.#last !== undefined) return this.#last;
    // It may have stopped in the meantime.
    const still = await readListeningSockets(Number(port || "80"));
    if (![...still].some((socket) => sockets.has(socket))) return null;
    throw new HiddenListener(
      `the process that listens at ${host} belongs to another user`,
    );
  }
}

async function isThisHost(host: string): Promise<boolean> {
  if (isLoopback(host)) return true;
  const address = isIP(host) > 0 ? host : (await lookup(host)).address;
  const own = Object.values(networkInterfaces()).flatMap((them) => them ?? []);
  return isLoopback(address) || own.some((one) => one.address === address);
}

/** The listening TCP sockets of the port, as the links in /proc/<pid>/fd name them. */
async function readListeningSockets(port: number): Promise<Set<string>> {
  const tables = await Promise.all(
    ["tcp", "tcp6"].map((name) =>
      readFile(`/proc/net/${name}`, "utf8").catch(() => ""),
    ),
  );
  if (tables.every((table) => table === ""))
    throw new HiddenListener("this system does not show its sockets in /proc");
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const LISTEN = "0A";
  return new Set(
    tables
      .flatMap((table) => table.split("\n"))
      .map((line) => line.trim().split(/\s+/))
      .filter((columns) => columns[1]?.endsWith(local) && columns[3] === LISTEN)
      .map((columns) => `socket:[${columns[9] ?? ""}]`),
  );
}

async function findHolder(sockets: Set<string>): Promise<number | undefined> {
  const pids = (await readdir("/proc")).map(Number).filter((pid) => pid > 0);
  const areHolders = await Promise.all(
    pids.map((pid) => holdsOne(pid, sockets)),
  );
  const holders = pids.filter((_, index) => areHolders[index]);
  const parents = await Promise.all(holders.map(readParent));
  return holders.find((_, index) => !holders.includes(parents[index] ?? 0));
}

async function holdsOne(pid: number, sockets: Set<string>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  const descriptors = await readdir(folder).catch(() => []);
  const links = await Promise.all(
    descriptors.map((fd) => readlink(`${folder}/${fd}`).catch(() => "")),
  );
  return links.some((link) => sockets.has(link));
}

async function readParent(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const parent = /^PPid:\s+(\d+)$/m.exec(status)?.[1];
  return parent === undefined ? undefined : Number(parent);
}
