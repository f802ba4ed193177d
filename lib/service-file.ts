import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { LineCounter, parseDocument } from "yaml";
import {
  describeIssues,
  describeSyntaxErrors,
  type Problem,
} from "./service-file/describe-problems.js";
import {
  schema,
  serviceFileSchema,
  type FileContent,
} from "./service-file/schema.js";

export { serviceFileSchema };

/** A service as serin.yml describes it, with defaults. Durations are in ms. */
export interface ServiceFile extends Omit<
  FileContent,
  "prefix" | "redis" | "ports" | "health" | "drain"
> {
  path: string;
  /** The folder of the file. Commands run in it, and paths are relative to it. */
  directory: string;
  /** Of the keys in Redis. */
  prefix: string;
  /** A host of ours or a URL without a password; undefined if the file names no servers for it. */
  redis: { host: string } | { url: string } | undefined;
  ports: { prod: number; canary: number; admin: number; monitor: number };
  /** An undefined path stands for a TCP check. */
  health: { path: string | undefined; timeoutMs: number; startMs: number };
  drainMs: number;
}

/** All problems of a serin.yml in one error: `serin.yml:3: servers.prod[1] is "x": give …`. */
export class ServiceFileError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "ServiceFileError";
    this.problems = problems;
  }
}

/** Its routes as the monitor's ROUTE_RULES. */
export function formatRouteRules({ routes }: Pick<ServiceFile, "routes">) {
  const rules = Object.entries(routes).map(([route, { latency }]) => [
    route,
    { latency: latency === "ignore" ? latency : `${latency / 1000}s` },
  ]);
  return JSON.stringify(Object.fromEntries(rules));
}

/** What it says of the clients, as the proxy's settings. */
export function proxySettings({
  proxy,
  rollout,
}: Pick<ServiceFile, "proxy" | "rollout">) {
  return {
    STICKY: proxy.sticky,
    ASSET_FALLBACK: proxy.asset_fallback,
    CANARY_HEADER: rollout.match?.header ?? "",
    CANARY_COOKIE: rollout.match?.cookie ?? "",
  };
}

export function findServiceFile(directory: string): string {
  return join(resolve(directory), "serin.yml");
}

/** @throws ServiceFileError */
export function readServiceFile(path: string): ServiceFile {
  if (!existsSync(path))
    throw new ServiceFileError([
      `${path} does not exist: write one with \`serin init\`, or run this in the service's folder`,
    ]);
  return parseServiceFile(readFileSync(path, "utf8"), resolve(path));
}

/** @throws ServiceFileError */
function parseServiceFile(text: string, path: string): ServiceFile {
  const lines = new LineCounter();
  const content = parseDocument(text, { lineCounter: lines });
  const fail = (problems: Problem[]) => {
    const sorted = problems.toSorted((one, other) => one.line - other.line);
    const name = basename(path);
    return new ServiceFileError(
      sorted.map(({ line, sentence }) => `${name}:${line}: ${sentence}`),
    );
  };
  if (content.errors.length > 0)
    throw fail(describeSyntaxErrors(content.errors));
  const toValues = (): unknown => {
    try {
      return content.toJS() ?? {};
    } catch (err) {
      // An alias of nothing, or one that grows beyond all bounds.
      if (!(err instanceof ReferenceError)) throw err;
      throw fail([{ line: 1, sentence: err.message }]);
    }
  };
  const parsed = schema.safeParse(toValues(), { reportInput: true });
  if (parsed.success) return complete(parsed.data, path);
  throw fail(
    describeIssues(parsed.error.issues, { content, lines }, knownFields),
  );
}

function complete(content: FileContent, path: string): ServiceFile {
  const { prefix, drain, health, ports, ...rest } = content;
  const { port } = content.proxy;
  // Below 1024 the neighbours are privileged too.
  const base = port < 1024 ? 8080 : port;
  return {
    ...rest,
    path,
    directory: dirname(path),
    prefix: prefix ?? `${content.service}:`,
    redis: findRedis(content),
    ports: {
      ...ports,
      admin: ports.admin ?? base + 1,
      monitor: ports.monitor ?? base + 10,
    },
    health: {
      path: health.path === "none" ? undefined : health.path,
      timeoutMs: health.timeout,
      startMs: health.start,
    },
    drainMs: drain,
  };
}

function findRedis({ redis, servers }: FileContent): ServiceFile["redis"] {
  if (!("host" in redis) || redis.host !== "edge") return redis;
  const host = servers?.edge[0];
  return host === undefined ? undefined : { host };
}

/** The fields of the object at a path, from the JSON Schema. */
function knownFields(path: readonly PropertyKey[]): string[] {
  let node = serviceFileSchema();
  for (const part of path) {
    const fields = (node.properties ?? {}) as Record<string, typeof node>;
    const next =
      fields[String(part)] ?? node.items ?? node.additionalProperties;
    const branches = (next as { anyOf?: (typeof node)[] } | undefined)?.anyOf;
    node = (branches?.find((one) => "properties" in one) ??
      next ??
      {}) as typeof node;
  }
  return Object.keys(node.properties ?? {});
}
