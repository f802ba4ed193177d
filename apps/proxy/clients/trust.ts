import { isIPv6, type BlockList } from "node:net";

/** Tells whether a peer is in `list`. */
export function createTrust(list: BlockList): (address: string) => boolean {
  if (list.rules.length === 0) return () => false;
  return (address) => list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}
