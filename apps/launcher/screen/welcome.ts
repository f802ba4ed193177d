import {
  HiddenListener,
  ListenerFinder,
} from "../../../lib/program/find-listener.js";
import { SIDES, type Side } from "../../../lib/telemetry/telemetry.js";
import { typableAddress } from "../addresses.js";
import type { CanaryStatus } from "../canary-wait.js";
import type { Sources } from "../processes/service.js";
import { appOriginOf, type Layout } from "../processes/programs.js";

/** The screen with the addresses of all programs and commands to try. */
export async function welcome(
  layout: Layout,
  sources: Sources,
  proxyStatus: CanaryStatus | undefined,
): Promise<string> {
  const { config, ports, workspace } = layout;
  const { host, adminHost, redisUrl, hasMailbox } = config;
  const proxy = typableAddress(host, ports.proxy);
  const admin = typableAddress(adminHost, ports.admin);
  const monitor = typableAddress(host, ports.monitor);
  const sides = await Promise.all(
    SIDES.map((side) => describeSide(side, layout, sources)),
  );
  return `
Serin is running. ${describeSplit(proxyStatus)}

  dashboard   http://${monitor}/
  proxy       http://${proxy}
              http://${admin}/status
  monitor     http://${monitor}/api/state
              http://${monitor}/api/events
${sides.join("\n")}
  Redis       ${redisUrl === undefined ? `redis-cli -p ${ports.redis}` : "existing (REDIS_URL)"}
  mails       ${hasMailbox ? workspace.mails : "sent as set by ALERT_TRANSPORT and SMTP_URL"}
  logs        ${workspace.logs}
  terminal    npx serin watch

Open the dashboard in a browser, and try these in a second terminal:

  curl ${proxy}/
  for i in $(seq 100); do curl -si ${proxy}/ | grep x-served-by; done | sort | uniq -c

The second command shows the split. To see a canary being stopped, press s, or start with --canary slow: requests are sent,
an alert is mailed, prod serves all, and a line says what users met. Ctrl-C stops everything.
`;
}

/** Such as `prod app http://localhost:3001`, and below it what runs there. */
async function describeSide(
  side: Side,
  layout: Layout,
  sources: Sources,
): Promise<string> {
  const url = new URL(appOriginOf(side, layout));
  const address = typableAddress(url.hostname, Number(url.port || "80"));
  const source = sources[side];
  const what =
    source === undefined
      ? [`as set by ${side.toUpperCase()}_URLS`]
      : [source.label, `release ${source.release}`];
  const process = await describeListener(url);
  return [
    `  ${`${side} app`.padEnd(10)}  http://${address}`,
    `              ${[...what, process].join(", ")}`,
  ].join("\n");
}

async function describeListener(url: URL): Promise<string> {
  try {
    const pid = await new ListenerFinder(url).find();
    return pid === null ? "nothing listens there" : `process ${pid}`;
  } catch (err) {
    if (!(err instanceof HiddenListener)) throw err;
    return `process not measured: ${err.message}`;
  }
}

function describeSplit(status: CanaryStatus | undefined): string {
  if (status === undefined) return "The proxy does not report its split.";
  return status.canary.open
    ? `Requests are split ${status.split} between prod and canary.`
    : `The canary gets no requests: ${status.canary.because ?? "the proxy gives no reason"}.`;
}
