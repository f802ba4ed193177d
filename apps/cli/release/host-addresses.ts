import { lookup } from "node:dns/promises";
import { isIPv4 } from "node:net";
import type { ServiceFile } from "../../../lib/service-file.js";
import { CliError, EXIT } from "../exit-status.js";
import { createInventory, listHosts, type Inventory } from "./inventory.js";

/** serin.yml as an Ansible inventory. @throws CliError that names every unknown host */
export async function readInventory(file: ServiceFile): Promise<Inventory> {
  const { prod, canary, proxy, redis } = listHosts(file);
  const hosts = [prod, canary, proxy, redis].flatMap((group) => group.hosts);
  return createInventory(file, await lookUpAddresses(hosts));
}

/**
 * Looks up the IPv4 address of each host that is given by name, for firewall rules and for the addresses on which programs
 * listen. It must be the address by which the hosts reach each other.
 *
 * @throws CliError that names every unknown host
 */
export async function lookUpAddresses(
  hosts: readonly string[],
): Promise<Map<string, string>> {
  const names = [...new Set(hosts)].filter((host) => !isIPv4(host));
  const found = await Promise.all(
    names.map(async (name) => [name, await lookUpAddress(name)] as const),
  );
  const unknown = found.filter(([, address]) => address === undefined);
  if (unknown.length > 0)
    throw new CliError(
      EXIT.usage,
      `no IPv4 address is known for ${unknown.map(([name]) => name).join(", ")}: add one to DNS or /etc/hosts, or give addresses in serin.yml`,
    );
  return new Map(found as [string, string][]);
}

async function lookUpAddress(name: string): Promise<string | undefined> {
  try {
    return (await lookup(name, { family: 4 })).address;
  } catch {
    return undefined;
  }
}
