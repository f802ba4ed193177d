import { expect } from "chai";
import { readConfig } from "../../../apps/monitor/config.js";
import { isLoopback } from "../../../lib/settings/values.js";
import { problemsIn } from "../../support/settings-problems.js";

const problemsOf = problemsIn(readConfig);

describe("monitor config", () => {
  it("reads the verdict’s mode, alpha and tolerance, and names invalid ones", () => {
    const { verdict } = readConfig({
      VERDICT: "observe",
      VERDICT_ALPHA: "0.001",
      VERDICT_TOLERANCE: "25%+0ms",
      VERDICT_STALL: "2.5s",
      VERDICT_WARM_UP: "2m",
    });
    expect(verdict).to.deep.equal({
      mode: "observe",
      alpha: 0.001,
      tolerance: { ratio: 0.25, ms: 0 },
      stallMs: 2500,
      warmUpMs: 120_000,
    });
    const problems = problemsOf({
      VERDICT: "maybe",
      VERDICT_ALPHA: "1",
      VERDICT_TOLERANCE: "10",
      VERDICT_STALL: "3s",
      VERDICT_WARM_UP: "1d",
    });
    expect(problems.join()).to.match(
      /VERDICT is .*VERDICT_ALPHA is .*VERDICT_TOLERANCE is .*VERDICT_STALL is .*VERDICT_WARM_UP is /,
    );
  });

  it("reads what it watches, and a template of a change's page", () => {
    const { system, commitUrl } = readConfig({
      SYSTEM_NAME: "shop",
      ENVIRONMENT: "prod",
      COMMIT_URL: "https://git.example.com/{before}...{commit}",
    });
    expect(system.label).to.equal("shop prod");
    expect(commitUrl).to.equal("https://git.example.com/{before}...{commit}");
    const problems = problemsOf({
      SYSTEM_NAME: "a\nb",
      ENVIRONMENT: "x".repeat(41),
      COMMIT_URL: "https://git.example.com/",
    });
    expect(problems.join()).to.match(
      /SYSTEM_NAME is .*ENVIRONMENT is .*COMMIT_URL is .*\{commit\}/,
    );
  });

  it("has the documented defaults", () => {
    expect(readConfig({})).to.deep.equal({
      redisUrl: "redis://127.0.0.1:6379",
      keyPrefix: "serin:",
      flagName: "feature",
      logLevel: "info",
      host: "127.0.0.1",
      port: 8090,
      system: {
        command: "sudo serin",
        name: "serin",
        environment: "",
        label: "serin",
      },
      latency: {
        thresholdMs: 500,
        quantile: 0.95,
        windowMs: 10_000,
        minRequests: 5,
        sides: ["canary", "prod"],
        routes: new Map(),
      },
      cpu: { threshold: 0.9, windowMs: 30_000 },
      memoryRatio: 1.5,
      recovery: { mode: "auto", cooldownMs: 60_000 },
      verdict: {
        mode: "on",
        alpha: 0.01,
        tolerance: { ratio: 0.1, ms: 5 },
        stallMs: 5000,
        warmUpMs: 60_000,
      },
      silenceMs: 5000,
      alertDelayMs: 10_000,
      alertGroupMs: 10_000,
      dashboardUrl: undefined,
      commitUrl: undefined,
      alert: {
        transport: "log",
        from: "serin@localhost",
        to: ["serin@localhost"],
      },
      adminToken: undefined,
    });
  });

  it("reads every variable", () => {
    const config = readConfig({
      HOST: "0.0.0.0",
      PORT: "9000",
      LATENCY_THRESHOLD_MS: "250",
      LATENCY_QUANTILE: "0.99",
      LATENCY_SIDES: "canary",
      ROUTE_RULES: '{"/poll": {"latency": "ignore"}}',
      LATENCY_WINDOW_MS: "500",
      MIN_REQUESTS: "20",
      CPU_THRESHOLD: "3.5",
      CPU_WINDOW_MS: "60000",
      RECOVERY: "manual",
      COOLDOWN_MS: "1",
      SILENCE_MS: "1000",
      ALERT_TRANSPORT: "smtp",
      ALERT_FROM: "serin@example.com",
      ALERT_TO: "a@example.com, b@example.com",
      SMTP_URL: "smtp://user:pw@mail.example.com:587",
      ADMIN_TOKEN: "t0ken!",
    });
    expect(config).to.deep.include({
      host: "0.0.0.0",
      port: 9000,
      latency: {
        thresholdMs: 250,
        quantile: 0.99,
        windowMs: 500,
        minRequests: 20,
        sides: ["canary"],
        routes: new Map([["/poll", null]]),
      },
      cpu: { threshold: 3.5, windowMs: 60_000 },
      memoryRatio: 1.5,
      recovery: { mode: "manual", cooldownMs: 1 },
      silenceMs: 1000,
      alert: {
        transport: "smtp",
        from: "serin@example.com",
        to: ["a@example.com", "b@example.com"],
        smtpUrl: "smtp://user:pw@mail.example.com:587",
      },
      adminToken: "t0ken!",
    });
  });

  for (const [name, value] of [
    ["LATENCY_THRESHOLD_MS", "0"],
    ["LATENCY_QUANTILE", "0"],
    ["LATENCY_QUANTILE", "1.01"],
    ["LATENCY_QUANTILE", "95"],
    ["LATENCY_QUANTILE", ".5"],
    ["LATENCY_WINDOW_MS", "499"],
    ["MIN_REQUESTS", "0"],
    ["CPU_THRESHOLD", "90%"],
    ["CPU_WINDOW_MS", "30s"],
    ["RECOVERY", "yes"],
    ["COOLDOWN_MS", "-1"],
    ["SILENCE_MS", "999"],
    ["ALERT_TRANSPORT", "mail"],
    ["ALERT_FROM", "Serin"],
    ["PORT", "99999"],
  ] as const) {
    it(`refuses ${name}=${value} by name`, () => {
      expect(problemsOf({ [name]: value })).to.have.length(1);
      expect(problemsOf({ [name]: value })[0]).to.match(
        RegExp(`^${name} is "${value}": give `),
      );
    });
  }

  it("lists every bad variable at once", () => {
    const problems = problemsOf({
      REDIS_URL: "localhost",
      MIN_REQUESTS: "few",
      RECOVERY: "never",
      ALERT_TRANSPORT: "ses",
      ADMIN_TOKEN: "two words",
      HOST: "0.0.0.0",
    });
    expect(problems.map((problem) => problem.split(" ", 1)[0])).to.deep.equal([
      "REDIS_URL",
      "MIN_REQUESTS",
      "RECOVERY",
      "ADMIN_TOKEN",
      "ALERT_FROM",
      "ALERT_TO",
      "AWS_REGION",
    ]);
  });

  for (const host of ["0.0.0.0", "::", "10.0.0.5", "edge1.example.com"]) {
    it(`refuses to listen on ${host} without ADMIN_TOKEN`, () => {
      const [problem, ...others] = problemsOf({ HOST: host });
      expect(others).to.be.empty;
      expect(problem).to.match(
        RegExp(`^HOST is "${host}" but ADMIN_TOKEN is not set`),
      );
      expect(problemsOf({ HOST: host, ADMIN_TOKEN: "t" })).to.be.empty;
    });
  }

  for (const token of ["two words", "ümlaut", "x".repeat(513), "a\tb"]) {
    it(`refuses ${JSON.stringify(token.slice(0, 9))} as a token without showing it`, () => {
      const [problem] = problemsOf({ ADMIN_TOKEN: token });
      expect(problem).to.match(/^ADMIN_TOKEN is malformed \(value not shown\)/);
    });
  }

  for (const host of ["127.0.0.1", "127.8.8.8", "localhost", "::1"]) {
    it(`accepts ${host} as loopback`, () => {
      expect(isLoopback(host)).to.be.true;
    });
  }

  for (const host of ["", "0.0.0.0", "127.evil.com", "localhost.evil.com"]) {
    it(`does not accept ${JSON.stringify(host)} as loopback`, () => {
      expect(isLoopback(host)).to.be.false;
    });
  }
});
