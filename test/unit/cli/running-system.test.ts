import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { withRunningSystem } from "../../../apps/cli/running-system.js";
import { announceSystem } from "../../../lib/program/running-system.js";
import type { Environment } from "../../../lib/settings/settings.js";
import { createTempDirectory } from "../../support/temp-directory.js";

const NOBODY = 65_534;

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

  /** The only address file. */
  get path(): string {
    const [name, ...others] = readdirSync(this.folder);
    expect(others).to.deep.equal([]);
    return join(this.folder, name!);
  }

  /** Changes the only address file. */
  edit(change: object): void {
    const content = JSON.parse(readFileSync(this.path, "utf8")) as object;
    writeFileSync(this.path, JSON.stringify({ ...content, ...change }));
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
    const { path } = session;
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
    const { pid } = spawnSync("true");
    session.edit({ pid });
    expect(session.use().said).to.equal("");
    const { settings } = session.announce("/src/new");
    expect(session.use().env).to.include(settings);
    expect(readFileSync(session.path, "utf8")).to.include("/src/new");
  });

  it("ignores an earlier process that had the same pid, and broken files", () => {
    const session = new Session();
    session.announce("/src/shop");
    session.edit({ startedAt: "1" });
    writeFileSync(join(session.folder, "other.json"), "{");
    expect(session.use().said).to.equal("");
  });

  it("ignores what others can write: their files, folders, links and pipes", function () {
    const session = new Session();
    session.announce("/src/shop");
    const { folder, path } = session;
    const expectIgnored = (what: string) =>
      expect(session.use().said, what).to.equal("");
    chmodSync(path, 0o620);
    expectIgnored("writable file");
    chmodSync(path, 0o600);
    chmodSync(folder, 0o770);
    expectIgnored("writable folder");
    chmodSync(folder, 0o700);
    renameSync(path, `${path}.moved`);
    symlinkSync(`${path}.moved`, path);
    expectIgnored("link");
    rmSync(path);
    spawnSync("mkfifo", ["-m", "600", path]);
    expectIgnored("pipe");
    rmSync(path);
    renameSync(`${path}.moved`, path);
    renameSync(folder, `${folder}.moved`);
    symlinkSync(`${folder}.moved`, folder);
    expectIgnored("linked folder");
    rmSync(folder);
    renameSync(`${folder}.moved`, folder);
    expect(session.use().said).to.include("shop");
    if (process.getuid?.() !== 0) this.skip();
    chownSync(path, NOBODY, NOBODY);
    expectIgnored("another user's file");
    chownSync(path, 0, 0);
    chownSync(folder, NOBODY, NOBODY);
    expectIgnored("another user's folder");
  });

  it("writes into no folder that is a link or another user's", function () {
    const session = new Session();
    const target = createTempDirectory();
    symlinkSync(target, session.folder);
    const announce = () => session.announce("/src/shop");
    expect(announce).to.throw(`${session.folder} is not a folder of this user`);
    expect(readdirSync(target)).to.deep.equal([]);
    if (process.getuid?.() !== 0) this.skip();
    rmSync(session.folder);
    mkdirSync(session.folder);
    chownSync(session.folder, NOBODY, NOBODY);
    expect(announce).to.throw("is not a folder of this user");
    expect(readdirSync(session.folder)).to.deep.equal([]);
  });

  it("writes through no link, and into no file that is there", () => {
    const session = new Session();
    const victim = join(createTempDirectory(), "victim");
    writeFileSync(victim, "kept");
    mkdirSync(session.folder);
    for (const name of ["shop.json", `shop.json.${process.pid}`])
      symlinkSync(victim, join(session.folder, name));
    session.announce("/src/shop");
    expect(readFileSync(victim, "utf8")).to.equal("kept");
    expect(session.use().said).to.include("shop");
  });

  it("keeps the file of one system when another of its name ends", () => {
    const session = new Session();
    const first = session.announce("/src/shop");
    session.announce("/src/shop");
    first.remove();
    expect(session.use().said).to.include("shop");
    first.remove();
    expect(session.use().said).to.include("shop");
  });

  it("shows a service's name without control characters", () => {
    const session = new Session();
    session.announce("/src/shop");
    session.edit({ service: "a\u001b[2Jb" });
    expect(session.use().said).to.match(/: a \[2Jb$/);
    session.announce("/src/other");
    expect(() => session.use("/elsewhere")).to.throw(/a \[2Jb/);
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
