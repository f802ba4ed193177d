import { spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { onCleanup } from "../../support/cleanup.js";
import { FREE_PORTS } from "../../support/programs/launcher.js";
import { createTempDirectory } from "../../support/temp-directory.js";

const SCHEMA = fileURLToPath(
  new URL("../../../../docs/settings.schema.json", import.meta.url),
);
const SCRIPTS = fileURLToPath(new URL("../../../../scripts", import.meta.url));

/** Each leaves a line with its arguments in calls.log, and what the real one would leave behind. */
const COMMANDS = {
  npm: `
    case $1 in
      ci) /bin/mkdir -p node_modules; echo > node_modules/.package-lock.json ;;
    esac`,
  "redis-server": "",
};
const BUILD = `
import { appendFileSync, existsSync, mkdirSync, rmSync } from "node:fs";
const path = (name) => new URL("../" + name, import.meta.url);
appendFileSync(process.env.CALLS, "build " + process.argv[2] + "\\n");
rmSync(path("dist"), { recursive: true, force: true });
if (existsSync(path("broken"))) throw new Error("Unexpected");
mkdirSync(path("dist"));
`;

const INSTALLS_REDIS =
  'echo > "$BIN/redis-server"; /bin/chmod +x "$BIN/redis-server"';

/** A clone of a small repository, with a PATH that holds only what the test puts there. */
class Clone {
  readonly root = createTempDirectory();
  readonly #bin = join(this.root, "bin");

  constructor(options: { engines?: string } = {}) {
    mkdirSync(this.#bin);
    cpSync(SCRIPTS, join(this.root, "scripts"), { recursive: true });
    const engines = { node: options.engines ?? ">=20.0.0" };
    this.write("package.json", JSON.stringify({ engines }));
    this.write("package-lock.json", "{}");
    mkdirSync(join(this.root, "docs"));
    cpSync(SCHEMA, join(this.root, "docs/settings.schema.json"));
    this.write("scripts/build.mjs", BUILD);
    this.write("apps/app/main.ts", "run();");
    for (const [name, script] of Object.entries(COMMANDS))
      this.addCommand(name, script);
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  remove(path: string): void {
    rmSync(join(this.root, path));
  }

  has(path: string): boolean {
    return existsSync(join(this.root, path));
  }

  addCommand(name: string, script: string): void {
    const log = `echo "${name} $*" >> "$CALLS"`;
    const file = join(this.#bin, name);
    writeFileSync(file, `#!/bin/sh\n${log}\n${script}\n`, { mode: 0o755 });
  }

  removeCommand(name: string): void {
    rmSync(join(this.#bin, name));
  }

  /**
   * Runs the script, in a terminal if something is `typed` there.
   *
   * @returns its status, what it said, and the commands that it ran
   */
  prepare(
    purpose = "start",
    options: {
      env?: Record<string, string>;
      uid?: number;
      typed?: string;
    } = {},
  ) {
    const { env = {}, uid = 0, typed } = options;
    const calls = join(this.root, "calls.log");
    writeFileSync(calls, "");
    const args = [
      ...["--import", `data:text/javascript,process.getuid = () => ${uid}`],
      ...[join(this.root, "scripts/prepare.mjs"), purpose],
    ];
    const line = [process.execPath, ...args].map((arg) => `'${arg}'`).join(" ");
    const [command, ...rest] =
      typed === undefined
        ? [process.execPath, ...args]
        : ["/usr/bin/script", "--quiet", "--return", "-c", line, "/dev/null"];
    const { status, stdout, stderr } = spawnSync(command, rest, {
      encoding: "utf8",
      ...(typed !== undefined && { input: typed }),
      env: {
        ...{ PATH: this.#bin, BIN: this.#bin, CALLS: calls },
        ...FREE_PORTS,
        ...env,
      },
    });
    const commands = readFileSync(calls, "utf8").split("\n").filter(Boolean);
    return { status, stdout, stderr, commands };
  }
}

/** One in which everything is done. */
function preparedClone(): Clone {
  const clone = new Clone();
  expect(clone.prepare().status).to.equal(0);
  return clone;
}

describe("prepare", () => {
  it("installs and builds in a bare clone", () => {
    const { status, stdout, commands } = new Clone().prepare();
    expect(status).to.equal(0);
    expect(stdout).to.match(
      /^prepare: installing the packages \(npm ci\) …\.* [\d.]+ s\nprepare: building …\.* [\d.]+ s\n$/,
    );
    expect(commands).to.deep.equal([
      "npm ping --fetch-retries=0 --fetch-timeout=5000",
      "npm ci --include=dev --no-audit --no-fund --prefer-offline",
      "build start",
    ]);
  });

  it("says and does nothing when all is done", () => {
    const clone = preparedClone();
    expect(clone.prepare()).to.deep.equal({
      status: 0,
      stdout: "",
      stderr: "",
      commands: [],
    });
  });

  it("refuses a Node that package.json does not allow", () => {
    const engines = "^18.1.0 || >=99.0.0";
    const { status, stderr, commands } = new Clone({ engines }).prepare();
    expect(status).to.equal(1);
    expect(stderr).to.include(`Serin needs Node ${engines}`);
    expect(stderr).to.include(`this is ${process.versions.node}`);
    expect(commands).to.deep.equal([]);
  });

  it("refuses a lower minor version of an allowed Node", () => {
    const [major] = process.versions.node.split(".");
    const engines = `^${major ?? ""}.999.0`;
    expect(new Clone({ engines }).prepare().status).to.equal(1);
  });

  it("says how it is used when it is not told what for", () => {
    const { status, stderr } = new Clone().prepare("deploy");
    expect(status).to.equal(1);
    expect(stderr).to.include("start|test");
  });

  describe("packages", () => {
    it("are installed again when the lockfile is newer", () => {
      const clone = preparedClone();
      const later = Date.now() / 1000 + 10;
      utimesSync(join(clone.root, "package-lock.json"), later, later);
      expect(clone.prepare().commands[1]).to.match(/^npm ci/);
    });

    it("that cannot be installed end it, with npm's own words", () => {
      const clone = new Clone();
      clone.addCommand("npm", 'echo "npm error EINTEGRITY" >&2; exit 1');
      const { status, stderr, commands } = clone.prepare();
      expect(status).to.equal(1);
      expect(stderr).to.include("npm error EINTEGRITY");
      expect(commands).to.have.length(2);
    });

    it("come from npm's cache when its registry cannot be reached", () => {
      const clone = new Clone();
      const fails = "echo npm error code EAI_AGAIN >&2; exit 1";
      clone.addCommand("npm", `[ $1 = ci ] || { ${fails}; }`);
      const { status, commands } = clone.prepare();
      expect(status).to.equal(0);
      expect(commands[1]).to.match(/^npm ci .+ --offline$/);
    });

    it("that are in no cache then end it in one sentence", () => {
      const clone = new Clone();
      clone.addCommand("npm", "echo npm error code EAI_AGAIN >&2; exit 1");
      const { status, stderr } = clone.prepare();
      expect(status).to.equal(1);
      expect(stderr).to.equal(
        "prepare: npm's registry cannot be reached (EAI_AGAIN), and npm's cache does not hold all packages: connect to the network, and try again\n",
      );
    });

    it("are asked of a registry that knows no ping", () => {
      const clone = new Clone();
      const fails = "echo npm error code E404 >&2; exit 1";
      clone.addCommand("npm", `[ $1 = ci ] || { ${fails}; }`);
      expect(clone.prepare().commands[1]).to.match(/ --prefer-offline$/);
    });
  });

  describe("build", () => {
    const changes: Record<string, (clone: Clone) => void> = {
      edited: (clone) => clone.write("apps/app/main.ts", "run(1);"),
      added: (clone) => clone.write("lib/new.ts", ""),
      removed: (clone) => clone.remove("apps/app/main.ts"),
    };
    for (const [what, change] of Object.entries(changes))
      it(`is made again when a source is ${what}`, () => {
        const clone = preparedClone();
        change(clone);
        expect(clone.prepare().commands).to.deep.equal(["build start"]);
        expect(clone.prepare().commands).to.deep.equal([]);
      });

    it("for tests takes the place of one for a start, and does for it", () => {
      const clone = preparedClone();
      expect(clone.prepare("test").commands).to.deep.equal(["build tests"]);
      expect(clone.prepare("test").commands).to.deep.equal([]);
      expect(clone.prepare("start").commands).to.deep.equal([]);
    });

    it("that fails shows the compiler's words and is tried again", () => {
      const clone = preparedClone();
      clone.write("broken", "");
      clone.write("apps/app/main.ts", "run(");
      for (const attempt of [1, 2]) {
        const { status, stderr } = clone.prepare();
        expect(status, `attempt ${attempt}`).to.equal(1);
        expect(stderr).to.include("Error: Unexpected");
        expect(clone.has("dist")).to.equal(false);
      }
      clone.remove("broken");
      expect(clone.prepare().status).to.equal(0);
    });
  });

  describe("redis-server", () => {
    /** A clone without one. */
    function cloneWithoutRedis(): Clone {
      const clone = preparedClone();
      clone.removeCommand("redis-server");
      return clone;
    }

    /** The same on a machine with apt-get, and with a sudo that asks for no password. */
    function cloneWithApt(aptGet: string): Clone {
      const clone = cloneWithoutRedis();
      clone.addCommand("apt-get", aptGet);
      clone.addCommand("sudo", '[ "$1" = -n ] && shift; "$@"');
      clone.addCommand("true", "");
      const runsItsCommand =
        'while [ "${1#*=}" != "$1" ]; do shift; done; "$@"';
      clone.addCommand("env", runsItsCommand);
      return clone;
    }

    it("is not needed when REDIS_URL or TEST_REDIS_URL names one", () => {
      const clone = cloneWithoutRedis();
      const url = "redis://127.0.0.1:6379";
      const statusOf = (purpose: string, env: Record<string, string>) =>
        clone.prepare(purpose, { env }).status;
      expect(statusOf("start", { REDIS_URL: url })).to.equal(0);
      expect(statusOf("test", { TEST_REDIS_URL: url })).to.equal(0);
      expect(statusOf("start", { TEST_REDIS_URL: url })).to.equal(1);
      expect(statusOf("test", { REDIS_URL: url })).to.equal(1);
    });

    it("is installed by apt-get without questions, and its service stays off", () => {
      const clone = cloneWithApt(INSTALLS_REDIS);
      clone.addCommand("systemctl", "");
      const { status, stdout, commands } = clone.prepare();
      expect(status).to.equal(0);
      expect(stdout).to.match(
        /^prepare: installing redis-server \(apt-get\), its service stays off …\.* [\d.]+ s\n$/,
      );
      const install =
        "apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends redis-server";
      expect(commands).to.deep.equal([
        `env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 SYSTEMD_OFFLINE=1 ${install}`,
        install,
        "systemctl disable --quiet redis-server",
      ]);
    });

    it("is installed through sudo by those who are not root", () => {
      const clone = cloneWithApt(INSTALLS_REDIS);
      const { status, commands } = clone.prepare("test", { uid: 1000 });
      expect(status).to.equal(0);
      expect(commands.filter((it) => it === "sudo -n true")).not.to.be.empty;
      const installs = /^sudo -n env .+ apt-get .+ redis-server$/;
      expect(commands.some((it) => installs.test(it))).to.equal(true);
    });

    it("is looked for in fresh package lists when the old ones do not have it", () => {
      const clone = cloneWithApt(`
        case $* in
          *update*) echo > "$BIN/lists" ;;
          *) [ -e "$BIN/lists" ] || exit 100; ${INSTALLS_REDIS} ;;
        esac`);
      const { status, commands } = clone.prepare();
      expect(status).to.equal(0);
      const verbs = commands
        .filter((one) => one.startsWith("apt-get"))
        .map((one) => /install|update/.exec(one)?.[0]);
      expect(verbs).to.deep.equal(["install", "update", "install"]);
    });

    it("that apt-get cannot install ends it with apt-get's own words", () => {
      const clone = cloneWithApt('echo "Could not resolve host" >&2; exit 100');
      const { status, stderr } = clone.prepare();
      expect(status).to.equal(1);
      expect(stderr).to.include("apt-get failed:\nCould not resolve host");
    });

    it("is installed by brew where there is no apt-get", () => {
      const clone = cloneWithoutRedis();
      clone.addCommand("brew", INSTALLS_REDIS);
      const { status, commands } = clone.prepare();
      expect(status).to.equal(0);
      expect(commands).to.deep.equal(["brew install redis"]);
    });

    it("that cannot be had ends it with the ways to get one", () => {
      const { status, stderr } = cloneWithoutRedis().prepare("test");
      expect(status).to.equal(1);
      expect(stderr).to.equal(
        [
          "prepare: there is no redis-server on the PATH, and neither apt-get nor brew is here to install it",
          "Any of these will do:",
          "  Debian, Ubuntu     sudo apt-get install redis-server",
          "  macOS              brew install redis",
          "  Fedora, RHEL       sudo dnf install redis",
          "  a Redis elsewhere  set TEST_REDIS_URL=redis://host:6379\n",
        ].join("\n"),
      );
    });

    /** A clone of a user whose sudo asks for a password. */
    function cloneWithPassword(): Clone {
      const clone = cloneWithApt(INSTALLS_REDIS);
      clone.addCommand("sudo", '[ "$1" = -n ] && exit 1; "$@"');
      return clone;
    }

    it("is not installed without a terminal if sudo asks for a password", () => {
      const clone = cloneWithPassword();
      const { status, stderr, commands } = clone.prepare("start", {
        uid: 1000,
      });
      expect(status).to.equal(1);
      expect(stderr).to.include("a sudo that asks for no password");
      expect(stderr).to.include("sudo apt-get install redis-server");
      expect(commands).to.deep.equal(["sudo -n true"]);
    });

    it("is offered in a terminal if sudo asks for a password", () => {
      const clone = cloneWithPassword();
      const { status, stdout, commands } = clone.prepare("start", {
        ...{ uid: 1000, typed: "y\n" },
      });
      expect(stdout).to.include("sudo apt-get install redis-server is needed");
      expect(status).to.equal(0);
      expect(commands.at(-1)).to.match(/^apt-get .+ install .+ redis-server$/);
    });

    it("is not installed when the offer is refused", () => {
      const clone = cloneWithPassword();
      const { status, stdout, commands } = clone.prepare("start", {
        ...{ uid: 1000, typed: "n\n" },
      });
      expect(status).to.equal(1);
      expect(stdout).to.include("Any of these will do:");
      expect(commands.join()).not.to.include("apt-get");
    });
  });

  /** A port of the loopback address that is in use. */
  async function occupyPort(): Promise<string> {
    const server = createServer();
    await once(server.listen(0, "127.0.0.1"), "listening");
    onCleanup(() => void server.close());
    return String((server.address() as AddressInfo).port);
  }

  it("needs no port for an app that the user runs", async () => {
    const port = await occupyPort();
    const env = { PROD_PORT: port, PROD_URLS: `http://127.0.0.1:${port}` };
    expect(new Clone().prepare("start", { env }).stderr).to.equal("");
  });

  it("looks for the port of the proxy's status at its own address", async () => {
    const port = await occupyPort();
    const env = { ADMIN_PORT: port, HOST: "192.0.2.1" };
    expect(new Clone().prepare("start", { env }).stderr).to.include(
      `port ${port} is in use: set ADMIN_PORT to another`,
    );
  });

  it("names all that stands in the way before it installs anything", async () => {
    const port = await occupyPort();
    const clone = new Clone({ engines: ">=99.0.0" });
    clone.removeCommand("redis-server");
    const env = {
      ...{ MONITOR_PORT: port, LATENCY_THRESHOLD_MS: "fast" },
      ...{ WORKERS: "0", BREAKER: "maybe", SMTP_URL: "" },
      ...{ CPU_THRESHOLD: "0.5", KEY_PREFIX: "a b", TARGET: "x" },
    };
    const { status, stderr, commands } = clone.prepare("start", { env });
    expect(status).to.equal(1);
    expect(stderr).to.match(/Serin needs Node >=99\.0\.0/);
    expect(stderr).to.include("there is no redis-server on the PATH");
    expect(stderr).to.include(
      `port ${port} is in use: set MONITOR_PORT to another, or to 0 for a free one\nIs another ` +
        "`npm start` or `serin dev` running?",
    );
    expect(stderr.match(/^\w+(?= is ")/gm)).to.have.members([
      ...["KEY_PREFIX", "BREAKER", "WORKERS", "LATENCY_THRESHOLD_MS"],
    ]);
    expect(stderr).to.match(
      /^LATENCY_THRESHOLD_MS is "fast": .+\(a whole number from 1 to /m,
    );
    expect(commands).to.deep.equal([]);
  });

  it("shows elapsed seconds in a terminal, and dots elsewhere", () => {
    const clone = new Clone();
    clone.write("scripts/build.mjs", `setTimeout(() => 0, 1300);\n`);
    clone.write("dist/.keep", "");
    expect(clone.prepare("start").stdout).to.match(/building …\.+ 1\.\d s\n$/);
    clone.write("apps/app/main.ts", "run(2);");
    const { stdout } = clone.prepare("start", { typed: "" });
    expect(stdout.split("\r\x1b[Kprepare: building … 0.")).to.have.length.above(
      3,
    );
  });
});
