import { isIPv6, type BlockList } from "node:net";

/** So many peers' answers are remembered. */
const KNOWN_LIMIT = 1000;

/** Tells whether a peer is in `list`: for each request, so that answers are remembered. */
export function createTrust(list: BlockList): (address: string) => boolean {
  if (list.rules.length === 0) return () => false;
  const known = new Map<string, boolean>();
  return (address) => {
    const found = known.get(address);
    if (found !== undefined) return found;
    const isTrusted = list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
    if (known.size >= KNOWN_LIMIT) known.clear();
    known.set(address, isTrusted);
    return isTrusted;
  };
}
