import { availableParallelism } from "node:os";
import { expect } from "chai";
import {
  readConfig,
  SETTINGS,
  whyNotSeveral,
} from "../../../apps/proxy/config.js";
import { problemsIn } from "../../support/settings-problems.js";

const problemsOf = problemsIn(readConfig);

function trusts(list: string, address: string): boolean {
  const family = address.includes(":") ? "ipv6" : "ipv4";
  return readConfig({ TRUSTED_PROXIES: list }).trustedProxies.check(
    address,
    family,
  );
}

describe("proxy settings", () => {
  it("have the documented defaults", () => {
    const { prodUrls, canaryUrls, trustedProxies, ...rest } = readConfig({});
    expect(prodUrls.map(String)).to.deep.equal(["http://127.0.0.1:3001/"]);
    expect(canaryUrls.map(String)).to.deep.equal(["http://127.0.0.1:3002/"]);
    expect(trustedProxies.rules).to.deep.equal([]);
    expect(rest).to.deep.equal({
      redisUrl: "redis://127.0.0.1:6379",
      keyPrefix: "serin:",
      flagName: "feature",
      logLevel: "info",
      host: "127.0.0.1",
      port: 8080,
      engine: "direct",
      workers: 1,
      adminHost: "127.0.0.1",
      adminPort: 8081,
      split: { prod: 3, canary: 1 },
      leaseRequired: false,
      optIn: undefined,
      isSticky: false,
      hasAssetFallback: false,
      hasBreaker: true,
      flagStaleMs: 5000,
      connectTimeoutMs: 1000,
      responseTimeoutMs: 30_000,
      headersTimeoutMs: 10_000,
      requestTimeoutMs: 300_000,
      maxHeaderBytes: 16_384,
      maxConnections: 10_000,
      drainMs: 10_000,
      telemetryIntervalMs: 500,
      keepsUnderscores: false,
      accessLog: { sampleRatio: 0, slowMs: 500 },
      tellsTiming: false,
    });
  });

  it("name a header, a cookie or both by which a request asks for the canary", () => {
    expect(readConfig({ CANARY_HEADER: "X-Beta" }).optIn).to.deep.equal({
      header: "x-beta",
      cookie: "",
    });
    expect(readConfig({ CANARY_COOKIE: "Beta" }).optIn).to.deep.equal({
      header: "",
      cookie: "Beta",
    });
    for (const bad of ["a b", "a=b", "a;b", "ä", "x".repeat(65)])
      for (const name of ["CANARY_HEADER", "CANARY_COOKIE"])
        expect(() => readConfig({ [name]: bad })).to.throw(`${name} is`);
  });

  it("are read from the environment", () => {
    const config = readConfig({
      PROD_URLS: "http://10.0.0.1:3001, http://app-2.internal",
      SPLIT: "9:1",
      CANARY_LEASE: "required",
      PROXY_ENGINE: "http-proxy",
      REQUEST_TIMEOUT_MS: "0",
      DRAIN_MS: "0",
      ADMIN_HOST: "::1",
    });
    expect(config.prodUrls.map(({ host }) => host)).to.deep.equal([
      "10.0.0.1:3001",
      "app-2.internal",
    ]);
    expect(config).to.deep.include({
      split: { prod: 9, canary: 1 },
      leaseRequired: true,
      hasBreaker: true,
      engine: "http-proxy",
      requestTimeoutMs: 0,
      drainMs: 0,
      adminHost: "::1",
    });
  });

  for (const [ACCESS_LOG, sampleRatio] of [
    ["bad", 0],
    ["all", 1],
    ["1%", 0.01],
    ["0.5%", 0.005],
  ] as const)
    it(`log requests with ACCESS_LOG=${ACCESS_LOG}`, () =>
      expect(readConfig({ ACCESS_LOG }).accessLog).to.include({ sampleRatio }));

  it("log no request with ACCESS_LOG=off", () =>
    expect(readConfig({ ACCESS_LOG: "off" }).accessLog).to.equal(undefined));

  it("take the default for an empty variable", () =>
    expect(readConfig({ SPLIT: "", PORT: "" })).to.deep.include({
      split: { prod: 3, canary: 1 },
      port: 8080,
    }));

  it("bound the telemetry's interval by FLAG_STALE_MS", () => {
    const env = { TELEMETRY_INTERVAL_MS: "2501", FLAG_STALE_MS: "5000" };
    expect(problemsOf(env)).to.deep.equal([
      "TELEMETRY_INTERVAL_MS is 2501: give at most 2500, half of FLAG_STALE_MS",
    ]);
  });

  for (const [name, value, right] of [
    ["PORT", "65536", "a whole number from 0 to 65535"],
    ["PORT", "80a", "a whole number from 0 to 65535"],
    ["ADMIN_PORT", "-1", "a whole number from 0 to 65535"],
    ["HOST", "bad host", "an address to listen on"],
    ["ADMIN_HOST", "http://x", "an address to listen on"],
    ["PROD_URLS", "127.0.0.1:3001", "http://host:port without a path"],
    ["PROD_URLS", "http://a:1,,http://b:2", "http://host:port without a path"],
    ["PROD_URLS", "http://a:1/path", "http://host:port without a path"],
    ["CANARY_URLS", "https://a:1", "http://host:port without a path"],
    ["CANARY_URLS", "http://u:p@a:1", "http://host:port without a path"],
    ["SPLIT", "0:0", "such as 3:1"],
    ["SPLIT", "3-1", "such as 3:1"],
    ["CANARY_LEASE", "yes", "one of optional, required"],
    ["PROXY_ENGINE", "nginx", "one of direct, http-proxy"],
    ["HEADERS_TIMEOUT_MS", "0", "a whole number from 1 "],
    ["REQUEST_TIMEOUT_MS", "-1", "a whole number from 0 "],
    ["MAX_HEADER_BYTES", "1023", "a whole number from 1024 to 1048576"],
    ["ACCESS_LOG", "101%", "bad, all, off, or the share of good requests"],
    ["ACCESS_LOG", "some", "bad, all, off, or the share of good requests"],
    ["WORKERS", "0", "a whole number from 1 to 128, or auto"],
    ["WORKERS", "129", "a whole number from 1 to 128, or auto"],
    ["WORKERS", "many", "a whole number from 1 to 128, or auto"],
    ["MAX_CONNECTIONS", "0", "a whole number from 1 to 1000000"],
    ["FLAG_STALE_MS", "1499", "a whole number from 1500"],
    ["CONNECT_TIMEOUT_MS", "0", "a whole number from 1 "],
    ["RESPONSE_TIMEOUT_MS", "30s", "a whole number from 1 "],
    ["DRAIN_MS", "1.5", "a whole number from 0 "],
    ["DRAIN_MS", "50001", "a whole number from 0 to 50000"],
    ["TELEMETRY_INTERVAL_MS", "49", "a whole number from 50 "],
    ["TRUSTED_PROXIES", "10.0.0.0/33", "addresses or CIDR ranges"],
    ["TRUSTED_PROXIES", "::1/129", "addresses or CIDR ranges"],
    ["TRUSTED_PROXIES", "10.0.0/8", "addresses or CIDR ranges"],
    ["TRUSTED_PROXIES", "lan", "addresses or CIDR ranges"],
    ["KEY_PREFIX", "ser in:", "1 to 64 of A-Z"],
    ["FLAG_NAME", "a/b", "1 to 64 of A-Z"],
    ["LOG_LEVEL", "loud", "one of trace, debug, info"],
  ] as const) {
    it(`refuse ${name}=${value} by name, with the expected form`, () => {
      const problems = problemsOf({ [name]: value });
      expect(problems).to.have.length(1);
      expect(problems[0])
        .to.match(new RegExp(`^${name} is `))
        .and.include(JSON.stringify(value.replace("u:p@", "***@")))
        .and.include(right);
    });
  }

  it("refuse a request timeout below the headers timeout", () => {
    const [problem] = problemsOf({ REQUEST_TIMEOUT_MS: "9999" });
    expect(problem).to.equal(
      "REQUEST_TIMEOUT_MS is 9999: give 0 or at least HEADERS_TIMEOUT_MS (10000)",
    );
  });

  it("refuse all bad variables together", () => {
    const bad = { PORT: "x", SPLIT: "x", PROD_URLS: "x", DRAIN_MS: "x" };
    const names = problemsOf(bad).map((problem) => problem.split(" ", 1)[0]);
    expect(names).to.have.members(Object.keys(bad));
  });

  it("never repeat the value of REDIS_URL", () => {
    const [problem] = problemsOf({ REDIS_URL: "http://user:hunter2@redis" });
    expect(problem).to.match(/^REDIS_URL is malformed .*: give redis:\/\//);
    expect(problem).to.not.include("hunter2");
  });

  it("trust the addresses and ranges of TRUSTED_PROXIES and no others", () => {
    const list = "10.0.0.0/8, 192.0.2.7, 2001:db8::/32";
    for (const address of ["10.255.0.1", "192.0.2.7", "2001:db8::1"])
      expect(trusts(list, address), address).to.be.true;
    for (const address of ["11.0.0.1", "192.0.2.8", "2001:db9::1", "::1"])
      expect(trusts(list, address), address).to.be.false;
  });
});

describe("proxy workers setting", () => {
  // By itself, because Node 20 takes one worker only.
  const read = (text: string) => SETTINGS.workers.takes.safeParse(text).data;

  it("reads auto as the number of cores", () =>
    expect(read("auto")).to.equal(Math.min(128, availableParallelism())));

  for (const text of ["1", "4", "128"])
    it(`reads ${text}`, () => expect(read(text)).to.equal(Number(text)));

  for (const text of ["0", "129", "-1", "1.5", "2x", "AUTO", "1e2"])
    it(`refuses ${JSON.stringify(text)}`, () =>
      expect(read(text)).to.equal(undefined));

  for (const version of ["22.12.0", "22.23.3", "23.1.0", "24.0.0", "26.1.0"])
    it(`allows several on Node ${version}`, () =>
      expect(whyNotSeveral(version)).to.equal(undefined));

  for (const version of ["20.19.0", "20.20.2", "21.7.0", "22.11.0", "23.0.0"])
    it(`names the Node version that several workers need on Node ${version}`, () =>
      expect(whyNotSeveral(version)).to.equal(
        `more than 1 needs Node 22.12, 23.1 or later, and this is ${version}`,
      ));
});
