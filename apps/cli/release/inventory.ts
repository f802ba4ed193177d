import {
  formatRouteRules,
  proxySettings,
  type ServiceFile,
} from "../../../lib/service-file.js";
import { CliError, EXIT } from "../exit-status.js";

type Variables = Record<string, unknown>;

/** What Ansible expects from the executable of a dynamic inventory. */
export interface Inventory {
  _meta: { hostvars: Record<string, Variables> };
  all: { vars: Variables };
  prod: { hosts: string[] };
  canary: { hosts: string[] };
  proxy: { hosts: string[] };
  /** Empty if the service uses a Redis of its own. */
  redis: { hosts: string[] };
}

/** The hosts of a service. @throws CliError if serin.yml names none */
export function listHosts(file: ServiceFile): Omit<Inventory, "_meta" | "all"> {
  const { servers, redis, path } = file;
  if (servers === undefined)
    throw new CliError(
      EXIT.usage,
      `${path} names no servers: add servers with prod, canary and edge`,
    );
  return {
    prod: { hosts: servers.prod },
    canary: { hosts: servers.canary },
    proxy: { hosts: servers.edge },
    redis: {
      hosts: redis !== undefined && "host" in redis ? [redis.host] : [],
    },
  };
}

/** serin.yml as an Ansible inventory. @param addresses the IPv4 address of each host that is given by name */
export function createInventory(
  file: ServiceFile,
  addresses: ReadonlyMap<string, string>,
): Inventory {
  const hostvars = Object.fromEntries(
    [...addresses].map(([name, address]) => [name, { serin_address: address }]),
  );
  return {
    _meta: { hostvars },
    all: {
      vars: {
        ...connectionVariables(file.ssh),
        ...serviceVariables(file),
        ...edgeVariables(file),
        ...alertVariables(file.alerts),
      },
    },
    ...listHosts(file),
  };
}

function connectionVariables({ user, port, key, jump }: ServiceFile["ssh"]) {
  return withoutUndefined({
    ansible_user: user,
    ansible_port: port,
    ansible_ssh_private_key_file: key,
    ansible_ssh_common_args: jump && `-o ProxyJump=${jump}`,
  });
}

function serviceVariables(file: ServiceFile): Variables {
  const { service, directory, ports, health, redis } = file;
  return withoutUndefined({
    serin_service: service,
    serin_service_ports: { prod: ports.prod, canary: ports.canary },
    serin_service_instances: file.instances,
    serin_service_health_path: health.path ?? "",
    serin_service_drain: file.drainMs / 1000,
    serin_service_writable: file.writable,
    serin_service_artifact: `${directory}/artifacts/${service}.tar.gz`,
    serin_key_prefix: file.prefix,
    serin_flag_name: file.flag,
    serin_flags: file.flags,
    // The vault overrides it with one that has a password.
    serin_redis_url: redis && "url" in redis ? redis.url : undefined,
  });
}

function edgeVariables(file: ServiceFile): Variables {
  const { proxy, ports } = file;
  const settings = proxySettings(file);
  return {
    serin_proxy_port: proxy.port,
    serin_admin_port: ports.admin,
    serin_monitor_port: ports.monitor,
    serin_route_rules: formatRouteRules(file),
    serin_sticky: settings.STICKY,
    serin_asset_fallback: settings.ASSET_FALLBACK,
    serin_match_header: settings.CANARY_HEADER,
    serin_match_cookie: settings.CANARY_COOKIE,
  };
}

function alertVariables(alerts: ServiceFile["alerts"]): Variables {
  const { to, from, ses, smtp, webhook } = alerts;
  const mailer = smtp === undefined ? "log" : "smtp";
  return withoutUndefined({
    serin_alert_transport: ses === undefined ? mailer : "ses",
    serin_alert_from: from,
    serin_alert_to: to,
    serin_aws_region: ses,
    // The vault overrides these with ones that are secret.
    serin_smtp_url: smtp,
    serin_alert_webhook_url: webhook,
  });
}

function withoutUndefined(variables: Variables): Variables {
  return Object.fromEntries(
    Object.entries(variables).filter(([, value]) => value !== undefined),
  );
}
