import { typableAddress } from "./addresses.js";
import type { ProxyStatus } from "./canary-wait.js";
import type { Layout } from "./processes/programs.js";

/** The screen that says what runs, where, and what to try. */
export function welcome(
  layout: Layout,
  proxyStatus: ProxyStatus | undefined,
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
  Redis       ${redisUrl === undefined ? `redis-cli -p ${ports.redis}` : "yours (REDIS_URL)"}
  mails       ${hasMailbox ? workspace.mails : "go where ALERT_TRANSPORT and SMTP_URL say"}
  logs        ${workspace.logs}
  terminal    ${store}MONITOR_URL=http://${monitor} npx serin watch

Open the dashboard in a browser, and try in a second terminal:

  curl ${proxy}/
  for i in $(seq 100); do curl -si ${proxy}/ | grep x-served-by; done | sort | uniq -c
  for i in $(seq 40); do curl -si ${proxy}/slow | grep x-served-by; done

The second shows the split. The third asks for what is slow on the canary and unknown to prod: after a few slow answers
the canary is cut off, a mail says so, and prod answers everything. Ctrl-C ends it all.
`;
}

function describeSplit(status: ProxyStatus | undefined): string {
  if (status === undefined) return "The proxy does not tell how it splits.";
  return status.canary.open
    ? `Requests are split ${status.split} between prod and canary.`
    : `The canary gets no requests: ${status.canary.because ?? "the proxy does not say why"}.`;
}
