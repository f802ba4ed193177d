const DEFAULT_PORT = "6379";

/**
 * The `redis-cli` command line for `redisUrl`: `redis-cli -h 10.0.0.5 -p 6380`. It never holds the password, for which
 * redis-cli prompts.
 */
export function redisCliFor(redisUrl: string): string {
  const { hostname, port, protocol, username, password, pathname } = new URL(
    redisUrl,
  );
  const host = hostname.replace(/^\[|\]$/g, "");
  const database = pathname.slice(1);
  const options = [
    ["127.0.0.1", "localhost"].includes(host) ? "" : `-h ${host}`,
    ["", DEFAULT_PORT].includes(port) ? "" : `-p ${port}`,
    ["", "0"].includes(database) ? "" : `-n ${database}`,
    protocol === "rediss:" ? "--tls" : "",
    username === "" ? "" : `--user ${decodeURIComponent(username)}`,
    password === "" ? "" : "--askpass",
  ];
  return ["redis-cli", ...options.filter((option) => option !== "")].join(" ");
}
