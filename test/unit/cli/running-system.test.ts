import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { withRunningSystem } from "../../../apps/cli/running-system.js";
import { announceSystem } from "../../../lib/program/running-system.js";
import type { Environment } from "../../../lib/settings/settings.js";
import { createTempDirectory } from "../../support/temp-directory.js";

/** A user's session in which a test announces systems. */
class Session {
  readonly env: Environment = {
    XDG_RUNTIME_DIR: createTempDirectory(),
    XDG_CACHE_HOME: createTempDirectory(),
  };
  readonly folder = join(this.env.XDG_RUNTIME_DIR!, "serin");

  announce(folder: string, service = "shop") {
    const settings = {
      REDIS_URL: `redis://:secret@${service}:1`,
      KEY_PREFIX: `${service}:`,
      FLAG_NAME: "feature",
      MONITOR_URL: `http://${service}:2`,
    };
    const system = { service, file: join(folder, "serin.yml"), settings };
    return { settings, remove: announceSystem(system, this.env) };
  }

  /** What the CLI gets in a folder, and what it says. */
  use(cwd = "/", more: Environment = {}) {
    const said: string[] = [];
    const warn = (sentence: string) => said.push(sentence);
    const env = withRunningSystem({ ...this.env, ...more }, { cwd, warn });
    return { env, said: said.join("\n") };
  }
}

describe("serin beside serin dev", () => {
  it("uses the system that runs, and says so", () => {
    const session = new Session();
    const { settings } = session.announce("/src/shop");
    const { env, said } = session.use();
    expect(env).to.include(settings);
    expect(said).to.equal("using the system that `serin dev` runs here: shop");
  });

  it("ignores it where an address is set", () => {
    const session = new Session();
    session.announce("/src/shop");
    const { env, said } = session.use("/", { MONITOR_URL: "http://edge:8090" });
    expect(env).not.to.have.key("REDIS_URL");
    expect(said).to.equal("");
    expect(session.use("/", { REDIS_URL: "" }).said).to.include("shop");
  });

  it("leaves the addresses where only the user can read them, and removes them", () => {
    const session = new Session();
    const { remove } = session.announce("/src/shop");
    const path = join(session.folder, "shop.json");
    const modeOf = (it: string) => (statSync(it).mode & 0o777).toString(8);
    expect([modeOf(session.folder), modeOf(path)]).to.deep.equal([
      ...["700", "600"],
    ]);
    remove();
    expect(existsSync(path)).to.equal(false);
    expect(session.use().said).to.equal("");
  });

  it("ignores and replaces what a dead process has left", () => {
    const session = new Session();
    session.announce("/src/old");
    const path = join(session.folder, "shop.json");
    const left = JSON.parse(readFileSync(path, "utf8")) as { pid: number };
    const { pid } = spawnSync("true");
    writeFileSync(path, JSON.stringify({ ...left, pid }));
    expect(session.use().said).to.equal("");
    const { settings } = session.announce("/src/new");
    expect(session.use().env).to.include(settings);
    expect(readFileSync(path, "utf8")).to.include("/src/new");
  });

  it("ignores an earlier process that had the same pid, and broken files", () => {
    const session = new Session();
    session.announce("/src/shop");
    const path = join(session.folder, "shop.json");
    const left = JSON.parse(readFileSync(path, "utf8")) as object;
    writeFileSync(path, JSON.stringify({ ...left, startedAt: "1" }));
    writeFileSync(join(session.folder, "other.json"), "{");
    expect(session.use().said).to.equal("");
  });

  it("finds it in the cache where the session has no folder", () => {
    const session = new Session();
    const { XDG_CACHE_HOME } = session.env;
    const file = "/src/shop/serin.yml";
    const settings = { REDIS_URL: "redis://a", KEY_PREFIX: "shop:" };
    const others = { FLAG_NAME: "feature", MONITOR_URL: "http://b" };
    announceSystem(
      { service: "shop", file, settings: { ...settings, ...others } },
      { XDG_CACHE_HOME, XDG_RUNTIME_DIR: "/does/not/exist" },
    );
    expect(session.use().env).to.include(settings);
  });

  it("prefers the system of the current folder when several run", () => {
    const session = new Session();
    session.announce("/src/shop");
    session.announce("/src/shop/packages/orders", "orders");
    session.announce("/other", "books");
    expect(session.use("/src/shop").said).to.match(/: shop$/);
    expect(session.use("/src/shop/packages/orders").said).to.match(/: orders$/);
    expect(session.use("/other/lib").said).to.match(/: books$/);
  });

  it("lists them when none belongs to the folder, without passwords", () => {
    const session = new Session();
    session.announce("/src/one");
    session.announce("/src/two");
    expect(() => session.use("/elsewhere"))
      .to.throw(/shop \(\/src\/one\), http.+\n.+shop \(\/src\/two\)/)
      .and.not.match(/secret/);
  });
});
