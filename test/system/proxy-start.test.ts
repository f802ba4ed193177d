import { expect } from "chai";
import { startNamedBackend } from "../support/http/backend.js";
import { send } from "../support/http/http-client.js";
import { spawnProgram } from "../support/programs/program-process.js";
import {
  canaryToBe,
  spawnProxyProgram,
} from "../support/programs/proxy-program.js";

describe("proxy start", () => {
  it("lists every bad setting on standard error, shows no secret, and exits 1", async () => {
    const bad = {
      REDIS_URL: "http://user:hunter2@redis:6379",
      PORT: "80800",
      PROD_URLS: "127.0.0.1:3001",
      CANARY_URLS: "http://10.0.0.1:3002/path",
      SPLIT: "3/1",
      CANARY_LEASE: "always",
      FLAG_STALE_MS: "1s",
      TRUSTED_PROXIES: "10.0.0.0/64",
    };
    const { exited, stderr, log } = spawnProgram("proxy", bad);
    expect(await exited).to.equal(1);
    const lines = stderr().trimEnd().split("\n");
    expect(lines[0]).to.equal("proxy does not start: bad settings:");
    expect(
      lines.slice(1).map((line) => /^ {2}- (\w+) /.exec(line)?.[1]),
    ).to.have.members(Object.keys(bad));
    expect(stderr()).to.not.include("hunter2");
    expect(log).to.deep.equal([]);
  });

  for (const variable of ["PORT", "ADMIN_PORT"]) {
    it(`says so and exits 1 when ${variable} is taken`, async () => {
      const other = await startNamedBackend("other");
      const { exited, log } = spawnProgram("proxy", {
        ADMIN_PORT: "0",
        [variable]: String(other.port),
      });
      expect(await exited).to.equal(1);
      const failure = log.find(({ level }) => level === "error");
      expect(failure).to.include({ msg: "proxy could not start" });
      expect(JSON.stringify(failure)).to.include(
        `address already in use 127.0.0.1:${other.port}`,
      );
    });
  }

  it("runs without a word on standard error, whatever clients do", async () => {
    const prod = await startNamedBackend("prod");
    const proxy = await spawnProxyProgram({
      PROD_URLS: prod.url.origin,
      CANARY_URLS: "http://127.0.0.1:1",
      BREAKER: "off",
    });
    await canaryToBe(proxy, null);
    for (let i = 0; i < 100; i++) await send(proxy.port);
    const client = proxy.connect();
    for (let i = 0; i < 50; i++) client.get(`/${i}`);
    for (let i = 0; i < 50; i++) await client.response();
    proxy.connect().get("/").socket.resetAndDestroy();
    proxy.connect().send("\0");
    proxy.child.kill("SIGTERM");
    expect(await proxy.exited).to.equal(0);
    expect(proxy.stderr()).to.equal("");
    // No client is to blame for a Redis that a busy machine keeps from answering.
    const others = proxy.log.filter(
      ({ level, msg }) => level !== "info" && !msg.startsWith("Redis "),
    );
    expect(others.map(({ msg }) => msg)).to.deep.equal(["upstream failed"]);
    expect(others[0]).to.include({ side: "canary", kind: "unreachable" });
  });
});
