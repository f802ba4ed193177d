import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import {
  readServiceFile,
  ServiceFileError,
  type ServiceFile,
} from "../../../lib/service-file.js";
import { problemsIn } from "../../support/settings-problems.js";
import { createTempDirectory } from "../../support/temp-directory.js";

const SMALLEST = `service: shop
run: node dist/server.js
servers:
  prod: [10.0.0.11, 10.0.0.12]
  canary: [10.0.0.13]
  edge: [10.0.0.14]
alerts:
  to: [ops@example.com]
`;

function read(text: string): ServiceFile {
  const path = join(createTempDirectory(), "serin.yml");
  writeFileSync(path, text);
  return readServiceFile(path);
}

const problemsOf = problemsIn(read);

describe("serin.yml", () => {
  it("needs eight lines", () => {
    const { path, directory, ...file } = read(SMALLEST);
    expect(path).to.equal(join(directory, "serin.yml"));
    expect(file).to.deep.equal({
      service: "shop",
      prefix: "shop:",
      run: "node dist/server.js",
      servers: {
        prod: ["10.0.0.11", "10.0.0.12"],
        canary: ["10.0.0.13"],
        edge: ["10.0.0.14"],
      },
      redis: { host: "10.0.0.14" },
      ssh: {},
      health: { path: "/healthz", timeoutMs: 5000, startMs: 30_000 },
      instances: 2,
      ports: { prod: 3001, canary: 3002, admin: 8081, monitor: 8090 },
      env: { clear: {}, secret: [] },
      writable: [],
      drainMs: 30_000,
      routes: {},
      hooks: {},
      proxy: {
        ...{ port: 8080, tls: "off", data_plane: "serin" },
        ...{ sticky: "off", asset_fallback: "off" },
      },
      flag: "feature",
      flags: [],
      alerts: { to: ["ops@example.com"] },
      rollout: {
        steps: [
          { weight: 2, forMs: 60_000 },
          { weight: 10, forMs: 60_000 },
          { weight: 25, forMs: 90_000 },
        ],
      },
      analysis: {
        worse_than_prod: { on: "abort" },
        latency: { on: "abort" },
        errors: { on: "abort" },
        not_served: { on: "abort" },
        harm: { requests: 200, on: "abort" },
        insufficient: { afterMs: 1_800_000, on: "hold" },
      },
    });
  });

  it("takes every field", () => {
    const file = read(`service: shop
run: node dist/server.js
prefix: "eu:shop:"
servers: {prod: [web-1.example.com], canary: [web-2.example.com], edge: [edge-1, edge-2]}
redis: rediss://redis.example.com:6380
ssh: {user: admin, port: 2222, key: ~/.ssh/shop, jump: admin@203.0.113.1}
build: npm ci && npm run build
include: [dist, node_modules, package.json]
health: {path: /ready?deep=1, timeout: 500ms, start: 2m}
instances: 3
ports: {prod: 4001, canary: 4002, monitor: 9000}
env: {clear: {NODE_ENV: production, WORKERS: 2, DEBUG: false}, secret: [DATABASE_URL]}
writable: [uploads/, var/cache]
drain: 1m
routes: {"/poll": {latency: ignore}, "/report": {latency: 5s}}
hooks: {before: npm run migrate, promoted: ./notify, aborted: ./undo}
proxy: {port: 80, tls: off, sticky: cookie, asset_fallback: on, data_plane: serin}
flag: canary
flags: [new-checkout]
alerts: {to: [ops@example.com], from: serin@example.com, ses: eu-central-1, webhook: "https://hooks.example.com/1"}
`);
    expect(file).to.deep.include({
      prefix: "eu:shop:",
      redis: { url: "rediss://redis.example.com:6380" },
      health: { path: "/ready?deep=1", timeoutMs: 500, startMs: 120_000 },
      ports: { prod: 4001, canary: 4002, admin: 8081, monitor: 9000 },
      env: {
        clear: { NODE_ENV: "production", WORKERS: "2", DEBUG: "false" },
        secret: ["DATABASE_URL"],
      },
      drainMs: 60_000,
      proxy: {
        ...{ port: 80, tls: "off", data_plane: "serin" },
        ...{ sticky: "cookie", asset_fallback: "on" },
      },
      routes: { "/poll": { latency: "ignore" }, "/report": { latency: 5000 } },
    });
  });

  it("checks only that the service listens with `health: none`", () => {
    const { health } = read(`${SMALLEST}health: none`);
    expect(health.path).to.equal(undefined);
  });

  it("names the status and dashboard ports after the proxy's", () => {
    const { ports } = read(`${SMALLEST}proxy: {port: 8180}`);
    expect(ports).to.deep.include({ admin: 8181, monitor: 8190 });
  });

  it("reports all problems at once, by line", () => {
    expect(
      problemsOf(`service: Shop
run: node dist/server.js
servers:
  prod: [10.0.0.11, 10.0.0.999]
  canary: [10.0.0.13]
  staging: [10.0.0.15]
helth: /healthz
instances: many
`),
    ).to.deep.equal([
      'serin.yml:1: service is "Shop": give a name of 1 to 20 of a-z 0-9 -, which begins with a letter and is not serin or redis',
      "serin.yml:3: servers.edge is missing: give a list of the hosts that run the proxy and the monitor, such as [10.0.0.11, 10.0.0.12]",
      'serin.yml:4: servers.prod[1] is "10.0.0.999": give an IPv4 address or a host name, such as 10.0.0.11',
      "serin.yml:6: servers.staging is unknown: give prod, canary, edge",
      "serin.yml:7: helth is unknown: did you mean health? Give service, prefix, run, servers, redis, ssh, build, include, artifact, health, instances, ports, env, writable, drain, routes, hooks, proxy, stable, flag, flags, alerts, rollout, analysis",
      'serin.yml:8: instances is "many": give a whole number from 1 to 10: instances on each host',
    ]);
  });

  for (const [line, problem] of [
    ["", "serin.yml:1: service is missing: give a name"],
    ["- service: shop", "serin.yml:1: the file is [{"],
    ["service: {", "serin.yml:1: Flow map"],
    [
      "service: shop\n  run: node a.js",
      "serin.yml:1: Nested mappings are not allowed in compact mappings: put a text that has a colon in quotes, and indent the fields of one object equally",
    ],
    [
      "service: shop\n\trun: x",
      "serin.yml:2: Tabs are not allowed as indentation: use spaces",
    ],
    ["service: shop\nservice: shop", "serin.yml:2: Map keys must be unique"],
    ["a: &a [*a]", "serin.yml:1: "],
  ] as const)
    it(`rejects the file ${JSON.stringify(line)}`, () => {
      expect(problemsOf(line)[0]).to.satisfy((text: string) =>
        text.startsWith(problem),
      );
    });

  for (const [line, problem] of [
    ["redis: redis://user:word@redis:6379", "redis is"],
    ["redis: {sentinels: [a:1], name: b}", "redis is"],
    [
      "ssh: {usr: admin}",
      "ssh.usr is unknown: did you mean user? Give user, port, key, jump",
    ],
    [
      "health: {path: /healthz, timeout: 5}",
      "health.timeout is 5: give a duration such as 500ms, 5s or 2m: how long an answer may take",
    ],
    [
      "health: {path: /healthz, star: 5s}",
      "health.star is unknown: did you mean start? Give path, timeout, start",
    ],
    ["ssh: admin", 'ssh is "admin": give user, port, key and jump of SSH'],
    ["include: [/etc]", 'include[0] is "/etc": give a file or folder'],
    ["include: [a, ../b]", 'include[1] is "../b": give a file or folder'],
    ["include: []", "include is []: give at least one file or folder"],
    ["writable: [.]", 'writable[0] is ".": give a folder'],
    [
      "writable: [uploads, uploads//avatars]",
      "uploads/avatars is below uploads, which is kept with all that is in it: remove uploads/avatars from writable",
    ],
    ["writable: [a, a/]", 'writable[1] is "a": give each only once'],
    ["artifact: out/shop.zip", 'artifact is "out/shop.zip": give a tarball'],
    ["health: healthz", 'health is "healthz": give a path that answers 2xx'],
    ["health: {path: //x}", 'health.path is "//x": give'],
    ["instances: 0", "instances is 0: give a whole number from 1"],
    ["ports: {prod: 65500}", "ports.prod is 65500: give at most 65425"],
    [
      "ports: {monitor: 8081}",
      "the edge needs three ports, and proxy.port is 8080, ports.admin 8081 and ports.monitor 8081: give each",
    ],
    ["proxy: {port: 65530}", "proxy.port is 65530: give at most 65525"],
    ["env: {clear: {PORT: 1}}", "env.clear.PORT: give the name of a variable"],
    ["env: {clear: {A: [1]}}", "env.clear.A is [1]: give a text, a number"],
    ["env: {secret: [A, A]}", 'env.secret[1] is "A": give each only once'],
    [
      "env: {clear: {A: 1}, secret: [A]}",
      "A is in env.clear and in env.secret: remove it",
    ],
    [
      "drain: 30",
      "drain is 30: give a duration such as 500ms, 5s or 2m: how long",
    ],
    ["routes: {/a/b: {latency: 1s}}", "routes./a/b: give a route's first"],
    ["routes: {/a: {latency: slow}}", 'routes./a.latency is "slow": give'],
    ["hooks: {after: x}", "hooks.after is unknown: give before, promoted"],
    [
      'hooks: {before: "a\\nb"}',
      'hooks.before is "a\\nb": give a shell command',
    ],
    ["proxy: {tls: {cert: a, key: b}}", "proxy.tls is {"],
    ["proxy: {sticky: on}", 'proxy.sticky is "on": give off, or cookie'],
    ["proxy: {sticky: true}", "proxy.sticky is true: give off, or cookie"],
    ["proxy: {asset_fallback: 1}", "proxy.asset_fallback is 1: give off, or"],
    ["proxy: {data_plane: nginx}", 'proxy.data_plane is "nginx": give serin'],
    ["flags: [feature]", "feature is the flag that lets the canary in: remove"],
  ] as const)
    it(`rejects ${line}`, () => {
      const [first, ...others] = problemsOf(`${SMALLEST}${line}`);
      expect(first?.replace("serin.yml:9: ", "")).to.satisfy((text: string) =>
        text.startsWith(problem),
      );
      expect(others).to.deep.equal([]);
    });

  it("rejects a host with two jobs", () => {
    expect(
      problemsOf(SMALLEST.replace("10.0.0.13", "10.0.0.11")),
    ).to.deep.equal([
      "serin.yml:5: 10.0.0.11 is in servers.prod and in servers.canary: give each its own host",
    ]);
  });

  it("rejects a mail address that the monitor rejects", () => {
    expect(
      problemsOf(SMALLEST.replace("ops@example.com", "ops@-a")),
    ).to.deep.equal([
      'serin.yml:8: alerts.to[0] is "ops@-a": give a mail address, such as ops@example.com',
    ]);
  });

  it("rejects a mailer without sender, and two mailers", () => {
    const alerts = "alerts: {to: [a@b.c], ses: eu-central-1, smtp: smtp://m}";
    expect(problemsOf(`service: shop\nrun: ./shop\n${alerts}`)).to.deep.equal([
      "serin.yml:3: alerts has ses and smtp: give one of them",
      "serin.yml:3: alerts.ses needs a sender: give alerts.from, such as serin@example.com",
    ]);
  });

  it("names `serin init` where there is no file", () => {
    expect(() => readServiceFile("/nowhere/serin.yml")).to.throw(
      ServiceFileError,
      "/nowhere/serin.yml does not exist: write one with `serin init`",
    );
  });

  it("takes a secret that is named like a method of objects", () => {
    const { env } = read(`${SMALLEST}env: {secret: [toString]}\n`);
    expect(env.secret).to.deep.equal(["toString"]);
  });

  it("rejects aliases of nothing and those that grow beyond bounds", () => {
    expect(problemsOf(`${SMALLEST}build: *nothing\n`).join()).to.match(
      /^serin\.yml:\d+: Unresolved alias/,
    );
    const levels = Array.from({ length: 9 }, (_, level) => {
      const below = level === 0 ? "x" : `*l${level - 1}`;
      return `  l${level}: &l${level} [${Array(10).fill(below).join(", ")}]\n`;
    });
    const bomb = `${SMALLEST}env:\n${levels.join("")}`;
    expect(problemsOf(bomb).join()).to.include("Excessive alias count");
  });
});
