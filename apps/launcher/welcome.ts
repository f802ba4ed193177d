import { typableAddress } from "./addresses.js";
import type { CanaryStatus } from "./canary-wait.js";
import type { Layout } from "./processes/programs.js";

/** The screen with the addresses of all programs and commands to try. */
export function welcome(
  layout: Layout,
  proxyStatus: CanaryStatus | undefined,
): string {
  const { config, ports, workspace } = layout;
  const { host, adminHost, redisUrl, hasMailbox } = config;
  const proxy = typableAddress(host, ports.proxy);
  const admin = typableAddress(adminHost, ports.admin);
  const monitor = typableAddress(host, ports.monitor);
  const store =
    redisUrl === undefined ? `REDIS_URL=redis://127.0.0.1:${ports.redis} ` : "";
  return `
Serin is running. ${describeSplit(proxyStatus)}

  dashboard   http://${monitor}/
  proxy       http://${proxy}
              http://${admin}/status
  monitor     http://${monitor}/api/state
              http://${monitor}/api/events
  prod app    http://${typableAddress(host, ports.prodApp)}
  canary app  http://${typableAddress(host, ports.canaryApp)}
  Redis       ${redisUrl === undefined ? `redis-cli -p ${ports.redis}` : "existing (REDIS_URL)"}
  mails       ${hasMailbox ? workspace.mails : "sent as set by ALERT_TRANSPORT and SMTP_URL"}
  logs        ${workspace.logs}
  terminal    ${store}MONITOR_URL=http://${monitor} npx serin watch

Open the dashboard in a browser, and try these in a second terminal:

  curl ${proxy}/
  for i in $(seq 100); do curl -si ${proxy}/ | grep x-served-by; done | sort | uniq -c
  for i in $(seq 40); do curl -si ${proxy}/slow | grep x-served-by; done

The second command shows the split. The third requests /slow, which is slow on the canary and unknown to prod: after a few slow
responses the canary is stopped, an alert is mailed, and prod serves all requests. Ctrl-C stops everything.
`;
}

function describeSplit(status: CanaryStatus | undefined): string {
  if (status === undefined) return "The proxy does not report its split.";
  return status.canary.open
    ? `Requests are split ${status.split} between prod and canary.`
    : `The canary gets no requests: ${status.canary.because ?? "the proxy gives no reason"}.`;
}
