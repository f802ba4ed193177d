const WILDCARDS: Readonly<Record<string, string>> = {
  "0.0.0.0": "127.0.0.1",
  "::": "::1",
};

/** The origin by which this machine reaches a server that listens on `host`. */
export function originOf(host: string, port: number): string {
  const address = WILDCARDS[host] ?? host;
  return `http://${address.includes(":") ? `[${address}]` : address}:${port}`;
}

/** The address for people to type, with `localhost` for loopback. */
export function typableAddress(host: string, port: number): string {
  const url = new URL(originOf(host, port));
  const isLocal = ["127.0.0.1", "[::1]"].includes(url.hostname);
  return `${isLocal ? "localhost" : url.hostname}:${port}`;
}
