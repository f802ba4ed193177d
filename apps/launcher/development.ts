import type { ServiceFile } from "../../lib/service-file.js";
import { originOf } from "./addresses.js";
import { Canary } from "./steering/canary.js";
import { createHarmReport } from "./harm.js";
import { launch } from "./launch.js";
import type { LaunchContext } from "./launch-context.js";
import { logFileOf, type Layout } from "./processes/programs.js";
import { Reaper } from "./processes/reaper.js";
import { findMissingSecrets, type Sources } from "./processes/service.js";
import type { LauncherOptions } from "./options.js";
import { runBuild } from "./source/build.js";
import { CheckoutCache } from "./source/checkout.js";
import { SourceFinder } from "./source/source-finder.js";
import { Steering } from "./steering/steering.js";
import {
  describeTraffic,
  parseRequests,
  summarizeRequests,
  Traffic,
  type TrafficRequest,
} from "./steering/traffic.js";

/** Builds and starts both sides, and then does what the options ask for. */
export async function runDevelopment(
  layout: Layout,
  options: LauncherOptions,
  opened: Omit<LaunchContext, "reaper">,
): Promise<void> {
  const { closers } = opened;
  const { config, service } = layout;
  // First, because it may be malformed.
  const requests = readRequests(service, options);
  const reaper = new Reaper();
  closers.add("reaper", () => reaper.close());
  const context = { ...opened, reaper };
  const finder = createFinder(layout, options, context);
  const { urls } = config;
  const prod = urls.prod ? undefined : await finder.openProd();
  const source = urls.canary ? undefined : await finder.openCanary();
  const sources = { prod, canary: source };
  warnOfSecrets(sources, layout, context);
  warnOfBuilds(sources, context);

  const onEvent = createHarmReport(layout, context);
  const supervisor = await launch(layout, sources, { ...context, onEvent });
  const { signal } = context;
  const canary =
    supervisor && source && new Canary({ source, supervisor, layout, signal });
  if (canary !== undefined) closers.add("fault hop", () => canary.close());
  const traffic = createTraffic(requests, layout, context);
  const steering = new Steering({ canary, traffic, layout, context });
  if (options.traffic) traffic.start();
  if (options.terminal !== undefined) steering.listen(options.terminal);
  if (options.fault !== undefined) steering.inject(options.fault);
  if (options.watch && source !== undefined)
    steering.watch(finder.canaryDirectory, (paths) =>
      finder.reopenCanary(paths),
    );
}

function readRequests(
  { health }: ServiceFile,
  { requests }: LauncherOptions,
): TrafficRequest[] {
  if (requests !== undefined) return parseRequests(requests);
  const paths = new Set(["/", health.path ?? "/"]);
  return [...paths].map((path) => ({ method: "GET", path }));
}

function createFinder(
  { config, service, workspace }: Layout,
  options: LauncherOptions,
  { screen, reaper, closers, signal }: LaunchContext,
): SourceFinder {
  const { env } = config;
  let cache: CheckoutCache | undefined;
  const openCache = () => {
    if (cache !== undefined) return cache;
    const opened = (cache = new CheckoutCache(service, env));
    closers.add("checkouts", () => opened.close());
    return opened;
  };
  return new SourceFinder({
    ...{ service, cwd: options.cwd, env, openCache },
    ...{ prod: options.prod, canary: options.canary, isBuilt: options.build },
    build: (side, { service }, label) =>
      screen.during(`Building ${label}: ${service.build ?? ""}`, () =>
        runBuild(service, {
          ...{ label, env, reaper, signal },
          logFile: logFileOf(`${side} build`, workspace),
        }),
      ),
  });
}

function warnOfSecrets(
  sources: Sources,
  { config }: Layout,
  { screen }: LaunchContext,
): void {
  const missing = Object.values(sources).flatMap((source) =>
    source === undefined ? [] : findMissingSecrets(source.service, config.env),
  );
  if (missing.length > 0)
    screen.event(
      "warning",
      `not set in this shell: ${[...new Set(missing)].join(", ")} (env.secret of serin.yml); the service runs without`,
    );
}

function warnOfBuilds(sources: Sources, { screen }: LaunchContext): void {
  const unbuilt = Object.values(sources).filter(
    (source) => source?.isUnbuilt === true,
  );
  const sentences = unbuilt.flatMap((source) => source?.advice ?? []);
  for (const sentence of new Set(sentences)) screen.event("warning", sentence);
}

/** A load through the proxy, with its results every ten seconds. */
function createTraffic(
  requests: readonly TrafficRequest[],
  { config, ports }: Layout,
  { screen, closers }: LaunchContext,
): Traffic {
  const traffic = new Traffic({
    url: originOf(config.host, ports.proxy),
    requests,
    onReport: (report) => screen.event("traffic", describeTraffic(report)),
    onStart: () => screen.event("traffic", summarizeRequests(requests)),
    onEnd: () => screen.event("traffic", "ended"),
  });
  closers.add("traffic", () => traffic.close());
  return traffic;
}
