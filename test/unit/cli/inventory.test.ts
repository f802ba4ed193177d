import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import {
  createInventory,
  type Inventory,
} from "../../../apps/cli/release/inventory.js";
import { lookUpAddresses } from "../../../apps/cli/release/host-addresses.js";
import { parseRouteRules } from "../../../apps/monitor/control/route-rules.js";
import { readServiceFile } from "../../../lib/service-file.js";
import { runCli } from "../../support/programs/cli.js";
import { freshKeys } from "../../support/redis/redis-server.js";
import { createTempDirectory } from "../../support/temp-directory.js";

const SERVERS = `
servers: {prod: [web1, 10.0.0.12], canary: [10.0.0.13], edge: [edge1.example.com, 10.0.0.15]}`;

function inventoryOf(yaml: string, addresses: [string, string][] = []) {
  const path = join(createTempDirectory(), "serin.yml");
  writeFileSync(path, `service: shop\nrun: node server.js\n${yaml}`);
  return createInventory(readServiceFile(path), new Map(addresses));
}

describe("the inventory of serin.yml", () => {
  it("lists the hosts of each group, with the first edge host for Redis", () => {
    const { prod, canary, proxy, redis } = inventoryOf(SERVERS);
    expect({ prod, canary, proxy, redis }).to.deep.equal({
      prod: { hosts: ["web1", "10.0.0.12"] },
      canary: { hosts: ["10.0.0.13"] },
      proxy: { hosts: ["edge1.example.com", "10.0.0.15"] },
      redis: { hosts: ["edge1.example.com"] },
    });
  });

  it("has the address of each host that is given by name", () => {
    const { _meta } = inventoryOf(SERVERS, [["web1", "10.0.0.11"]]);
    expect(_meta.hostvars).to.deep.equal({
      web1: { serin_address: "10.0.0.11" },
    });
  });

  it("has the service's defaults", () => {
    const { vars } = inventoryOf(SERVERS).all;
    expect(vars.serin_service_artifact).to.match(
      /^\/.*\/artifacts\/shop\.tar\.gz$/,
    );
    delete vars.serin_service_artifact;
    expect(vars).to.deep.equal({
      serin_service: "shop",
      serin_service_ports: { prod: 3001, canary: 3002 },
      serin_service_instances: 2,
      serin_service_health_path: "/healthz",
      serin_service_drain: 30,
      serin_service_writable: [],
      serin_key_prefix: "shop:",
      serin_flag_name: "feature",
      serin_flags: [],
      serin_proxy_port: 8080,
      serin_admin_port: 8081,
      serin_monitor_port: 8090,
      serin_route_rules: "{}",
      serin_sticky: "off",
      serin_asset_fallback: "off",
      serin_match_header: "",
      serin_match_cookie: "",
      serin_alert_transport: "log",
      serin_alert_to: [],
    });
  });

  it("takes over what serin.yml says of SSH, health, alerts and Redis", () => {
    const { all, redis } = inventoryOf(`${SERVERS}
ssh: {user: admin, port: 2222, key: ~/.ssh/shop, jump: "admin@203.0.113.1:22"}
redis: rediss://redis.example.com:6380
health: {path: none, timeout: 500ms, start: 2m}
alerts: {to: [ops@example.com], from: serin@example.com, ses: eu-central-1}`);
    expect(redis.hosts).to.deep.equal([]);
    expect(all.vars).to.include({
      ansible_user: "admin",
      ansible_port: 2222,
      ansible_ssh_private_key_file: "~/.ssh/shop",
      ansible_ssh_common_args: "-o ProxyJump=admin@203.0.113.1:22",
      serin_redis_url: "rediss://redis.example.com:6380",
      serin_service_health_path: "",
      serin_alert_transport: "ses",
      serin_alert_from: "serin@example.com",
      serin_aws_region: "eu-central-1",
    });
  });

  it("takes over what serin.yml says of clients", () => {
    const { vars } = inventoryOf(`${SERVERS}
proxy: {sticky: cookie, asset_fallback: on}
rollout: {match: {header: X-Beta}}`).all;
    expect(vars).to.include({
      serin_sticky: "cookie",
      serin_asset_fallback: "on",
      serin_match_header: "X-Beta",
      serin_match_cookie: "",
    });
  });

  it("has mails through SMTP and a webhook", () => {
    const { vars } = inventoryOf(`${SERVERS}
alerts:
  to: [ops@example.com]
  from: serin@example.com
  smtp: smtp://mail.example.com:587
  webhook: https://hooks.example.com/x`).all;
    expect(vars).to.include({
      serin_alert_transport: "smtp",
      serin_smtp_url: "smtp://mail.example.com:587",
      serin_alert_webhook_url: "https://hooks.example.com/x",
    });
  });

  it("has the routes' thresholds as the monitor reads them", () => {
    const { vars } = inventoryOf(`${SERVERS}
routes: {/poll: {latency: ignore}, /report: {latency: 1250ms}, /big: {latency: 5s}}`).all;
    expect(parseRouteRules(vars.serin_route_rules as string)).to.deep.equal(
      new Map([
        ["/poll", null],
        ["/report", 1250],
        ["/big", 5000],
      ]),
    );
  });

  it("cannot be made without servers", () => {
    expect(() => inventoryOf("")).to.throw(
      /serin\.yml names no servers: add servers with prod, canary and edge/,
    );
  });
});

describe("serin inventory", () => {
  const inFolder = (yaml: string, ...args: string[]) => {
    const SERIN_FILE = join(createTempDirectory(), "serin.yml");
    writeFileSync(SERIN_FILE, yaml);
    return runCli(freshKeys(), ["inventory", ...args], { SERIN_FILE });
  };

  it("prints the inventory with looked-up addresses", async () => {
    const { status, stdout } = await inFolder(
      `service: shop
run: node server.js
servers: {prod: [localhost], canary: [10.0.0.13], edge: [10.0.0.14]}`,
      "--list",
    );
    expect(status).to.equal(0);
    const inventory = JSON.parse(stdout) as Inventory;
    expect(inventory.prod.hosts).to.deep.equal(["localhost"]);
    expect(inventory._meta.hostvars).to.deep.equal({
      localhost: { serin_address: "127.0.0.1" },
    });
  });

  it("has no further variables for a host", async () => {
    const { status, stdout } = await inFolder("", "--host", "web1");
    expect([status, stdout]).to.deep.equal([0, "{}\n"]);
  });

  it("rejects a bad serin.yml with status 2", async () => {
    const { status, stderr } = await inFolder("service: Shop");
    expect(status).to.equal(2);
    expect(stderr).to.contain('serin.yml:1: service is "Shop": give');
  });
});

describe("the addresses of hosts", () => {
  it("are looked up for names only", async () => {
    const found = await lookUpAddresses(["10.0.0.1", "localhost", "localhost"]);
    expect([...found]).to.deep.equal([["localhost", "127.0.0.1"]]);
  });

  it("are rejected all at once when they are unknown", async () => {
    const looking = lookUpAddresses([
      "one.invalid",
      "localhost",
      "two.invalid",
    ]);
    expect(await looking.catch(String)).to.contain(
      "no IPv4 address is known for one.invalid, two.invalid: ",
    );
  });
});
