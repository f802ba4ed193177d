import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { Cli, runCli } from "../../support/programs/cli.js";
import { skipWithout } from "../../support/needed-program.js";
import { freshKeys } from "../../support/redis/redis-server.js";
import { startSshServer, type SshServer } from "../../support/ssh-server.js";
import { createTempDirectory } from "../../support/temp-directory.js";

/** Stands in for systemd's, which a container has no journal for. */
const JOURNALCTL = `printf '%s\\n' "$@"
printf 'red \\033[31m line\\n'
printf 'bad \\033[31m line\\n' >&2
for last; do :; done
case "$*" in *--follow*) exec sleep 60 ;; *shop*) ;; *) exit 1 ;; esac`;
const UNITS = [
  "--unit=shop@*",
  "--unit=shop-agent@*",
  "--unit=shop-proxy",
  "--unit=shop-monitor",
];

describe("serin logs", () => {
  let server: SshServer;
  let folder: string;
  let env: Record<string, string>;

  before(function () {
    skipWithout(this, { names: ["sshd"], debianPackage: "openssh-server" });
  });

  beforeEach(async () => {
    server = await startSshServer({ journalctl: JOURNALCTL });
    folder = createTempDirectory();
    writeServiceFile("shop");
    env = { PWD: folder, PATH: server.PATH };
  });

  function writeServiceFile(service: string, port = server.port) {
    const { user, key } = server;
    writeFileSync(
      join(folder, "serin.yml"),
      `service: ${service}
run: ./shop
servers: {prod: [127.0.0.1], canary: [127.0.0.2], edge: [127.0.0.3]}
ssh: {user: ${user}, port: ${port}, key: ${key}}
`,
    );
  }

  const logs = (...args: string[]) =>
    runCli(freshKeys(), ["logs", ...args], env);

  it("shows the journal of the service's units on a host, by the ssh settings of serin.yml", async () => {
    const { status, stdout, stderr } = await logs("127.0.0.1", "-n", "7");
    expect(stderr).to.equal("bad  [31m line\n");
    expect(stdout.split("\n")).to.deep.equal([
      ...["--no-pager", "--quiet", "--output=short-iso", "--utc", "--lines=7"],
      ...UNITS,
      ...["red  [31m line", ""],
    ]);
    expect(status).to.equal(0);
  });

  it("follows until it is stopped", async () => {
    const args = ["logs", "127.0.0.1", "--follow"];
    const cli = new Cli(freshKeys(), args, env);
    await cli.untilPrinted(/^--follow\n[^]*line\n/m);
    expect((await cli.stop()).status).to.equal(0);
  });

  it("shows this host's journal where SERIN_SERVICE says which service runs here", async () => {
    env = { ...env, PWD: createTempDirectory(), SERIN_SERVICE: "shop" };
    const { status, stdout } = await logs();
    expect(stdout).to.include(UNITS.join("\n"));
    expect(status).to.equal(0);
  });

  it("lists the hosts of serin.yml for none and an unknown one", async () => {
    const hosts = "127.0.0.1 (prod), 127.0.0.2 (canary), 127.0.0.3 (edge)\n";
    const none = await logs();
    expect(none.stderr).to.equal(`serin: name a host: ${hosts}`);
    const other = await logs("10.0.0.1");
    expect(other.stderr).to.match(/^serin: \S+ names no host 10\.0\.0\.1: /);
    expect([none.status, other.status]).to.deep.equal([2, 2]);
  });

  it("ends with 3 for an unreachable host, and with 1 if journalctl fails", async () => {
    writeServiceFile("other");
    expect((await logs("127.0.0.1")).status).to.equal(1);
    writeServiceFile("shop", 9);
    const away = await logs("127.0.0.1");
    expect(away.stderr).to.match(
      /^ssh: .+\nserin: 127\.0\.0\.1 cannot be reached by ssh\n$/,
    );
    expect(away.status).to.equal(3);
  });
});
