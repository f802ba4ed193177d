import { found, type Found } from "./findings.js";
import type { Project, SourceFile } from "./project.js";

const HEALTH_PATHS = [
  "/healthz",
  "/health",
  "/readyz",
  "/ready",
  "/up",
  "/livez",
  "/api/healthz",
  "/api/health",
  "/health/ready",
  "/_health",
  "/ping",
];
/** Next answers a path by the file of that name. */
const HEALTH_FILE =
  /(?:^|\/)(?:app|pages)(\/(?:api\/)?(?:healthz?|readyz?|up))(?:\/route)?\.[jt]sx?$/;
const HEALTH_REMARK =
  "no health path is in the sources: with `health: none` Serin only checks that the service listens. Add a path that answers 2xx once the service is ready";

/** The path by which the service says that it is ready. */
export function findHealthPath(project: Project): Found | undefined {
  const sources = project.sources();
  for (const path of HEALTH_PATHS) {
    const source = sources.find(({ text }) => mentions(text, path));
    if (source !== undefined) return found(path, source.path);
  }
  for (const { path } of sources) {
    const route = HEALTH_FILE.exec(path)?.[1];
    if (route !== undefined) return found(route, path);
  }
  return undefined;
}

/** As a whole text; decorators of Nest and Django's `path` leave the slash out. */
function mentions(text: string, path: string): boolean {
  const name = path.slice(1);
  return new RegExp(
    `["'\`]${path}/?["'\`]|\\b(Controller|Get|path)\\(\\s*["'\`]${name}/?["'\`]`,
  ).test(text);
}

/** What keeps Serin from reaching or checking the service, in sentences. */
export function listObstacles(
  project: Project,
  { run, health }: { run: string; health: Found | undefined },
): string[] {
  const sources = project.sources();
  const readsPort =
    /\$\{?PORT\b|^next start/.test(run) ||
    sources.some(({ text }) => /\bPORT\b/.test(text));
  const local = sources.find(listensOnLoopback);
  return [
    ...(readsPort ? [] : [describeFixedPort(sources)]),
    ...(local === undefined
      ? []
      : [
          `${local.path} listens on localhost only: let it listen on the address in HOST, which the proxy connects to`,
        ]),
    ...(health === undefined ? [HEALTH_REMARK] : []),
  ];
}

function describeFixedPort(sources: readonly SourceFile[]): string {
  const listening = sources.find(({ text }) => /\blisten\w*\(/i.test(text));
  const where = listening === undefined ? "" : ` (${listening.path})`;
  return `no source reads PORT: let the service listen on the port in PORT${where}`;
}

/** Fastify does unless it gets a host. */
function listensOnLoopback({ text }: SourceFile): boolean {
  const calls = [...text.matchAll(/\.listen\([^;]{0,200}?\)/g)].map(
    ([it]) => it,
  );
  return calls.some(
    (call) =>
      (/["'`](localhost|127\.0\.0\.1)["'`]/.test(call) &&
        !/\bHOST\b/.test(call)) ||
      (/\bfastify\b/i.test(text) && !/host/i.test(call)),
  );
}
