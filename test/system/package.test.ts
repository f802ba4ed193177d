import { execFileSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { LauncherProcess } from "../support/programs/launcher.js";
import { redisUrl } from "../support/redis/redis-server.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const MAX_BYTES = 3_000_000;

/** Wrong, which a compiler detects only with the types at hand. */
const MISTAKE = `
import { createFlags } from "serin/client";
import { SerinProvider } from "serin/openfeature";
// @ts-expect-error a name is a string
(await createFlags()).isOn(1);
// @ts-expect-error no options
new SerinProvider(1);
`;

/** A service without packages, which names who answers. */
const OWN_SERVICE = {
  ".gitignore": "node_modules\n",
  "server.js": `import { createServer } from "node:http";
const { PORT, HOST, SERIN_SIDE } = process.env;
createServer(({ url }, response) =>
  response.end(url === "/healthz" ? "ok" : SERIN_SIDE + " " + process.pid),
).listen(PORT, HOST);
`,
};
const AUTHOR = ["-c", "user.name=a", "-c", "user.email=a@example.com"];

async function fetchText(url: string): Promise<string> {
  const response = await fetch(url);
  return await response.text();
}

interface Packed {
  filename: string;
  size: number;
  files: { path: string }[];
}

function run(folder: string, command: string, ...args: string[]): string {
  return execFileSync(command, args, { cwd: folder, encoding: "utf8" });
}

/** `npm pack` in a copy of the working tree, because it builds dist/ from scratch. */
function pack(copy: string): Packed & { tarball: string } {
  const listed = run(
    ...[ROOT, "git"],
    ...["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
  );
  const isTracked = new Set(listed.split("\0"));
  for (const path of isTracked) {
    if (path === "") continue;
    mkdirSync(join(copy, dirname(path)), { recursive: true });
    cpSync(join(ROOT, path), join(copy, path), { force: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  const [packed] = JSON.parse(
    run(copy, "npm", "pack", "--json", "--silent"),
  ) as Packed[];
  return { ...packed!, tarball: join(copy, packed!.filename) };
}

/** Installs the package in the folder of a new service. */
function install(service: string, tarball: string): void {
  writeFileSync(join(service, "package.json"), '{ "type": "module" }');
  const quietly = ["--prefer-offline", "--no-audit", "--no-fund", "--silent"];
  run(service, "npm", "install", "--save-dev", ...quietly, tarball);
}

/** Links packages of the checkout, as a service would have its own. */
function link(service: string, ...packages: string[]): void {
  for (const name of packages) {
    const path = join(service, "node_modules", name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), path);
  }
}

describe("the npm package", function () {
  this.timeout(120_000);
  let packed: ReturnType<typeof pack>;
  let folder: string;
  let service: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "serin-test-"));
    service = join(folder, "service");
    packed = pack(join(folder, "copy"));
    mkdirSync(service);
    install(service, packed.tarball);
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  it("is below 3 MB, without tests and sources", () => {
    expect(packed.size).to.be.below(MAX_BYTES);
    const paths = packed.files.map(({ path }) => path);
    expect(paths).to.include.members([
      ...["LICENSE", "README.md", "package.json", "docs/serin.schema.json"],
      ...["ansible/site.yml", "jenkins/Jenkinsfile.service"],
      ...["dist/apps/cli/main.js", "dist/THIRD-PARTY-LICENSES"],
    ]);
    const unwanted = paths.filter((path) =>
      /^(apps|lib|test|bench|scripts)\/|^dist\/(test|bench)\/|(?<!\.d)\.ts$/.test(
        path,
      ),
    );
    expect(unwanted).to.deep.equal([]);
  });

  it("installs no other package", () => {
    const installed = readdirSync(join(service, "node_modules"));
    expect(installed.filter((name) => !name.startsWith("."))).to.deep.equal([
      "serin",
    ]);
  });

  it("runs npx serin", () => {
    const { version } = JSON.parse(
      readFileSync(join(ROOT, "package.json"), "utf8"),
    ) as { version: string };
    const serin = (...args: string[]) =>
      run(service, "npx", "--no-install", "serin", ...args);
    expect(serin("--version").trim()).to.equal(version);
    expect(serin("--help")).to.include("Usage: serin");
  });

  it("exports serin/client, which reads flags, to modules and to CommonJS", () => {
    const read = `.then((flags) => {
      console.log(flags.isOn("feature"));
      flags.close();
    })`;
    const imported = `import { createFlags } from "serin/client"; createFlags()${read}`;
    const required = `require("serin/client").createFlags()${read}`;
    const env = { ...process.env, SERIN_REDIS_URL: redisUrl() };
    for (const [type, script] of [
      ["module", imported],
      ["commonjs", required],
    ] as const)
      expect(
        execFileSync(process.execPath, [`--input-type=${type}`, "-e", script], {
          cwd: service,
          env,
          encoding: "utf8",
        }),
      ).to.equal("true\n");
  });

  it("leads a service from serin init to its first canary", async () => {
    for (const [name, text] of Object.entries(OWN_SERVICE))
      writeFileSync(join(service, name), text);
    run(service, "git", "init", "--quiet");
    run(service, "git", "add", ".");
    run(service, "git", ...AUTHOR, "commit", "--quiet", "--message", "shop");
    const serin = join(service, "node_modules/serin/dist/apps/cli/main.js");
    expect(run(service, process.execPath, serin, "init")).to.match(
      /run +node server\.js .*\n +health +\/healthz /,
    );
    const file = join(service, "serin.yml");
    expect(readFileSync(file, "utf8").split("\n")).to.have.length.below(25);
    const home = { HOME: folder, XDG_CACHE_HOME: join(folder, "cache") };
    const dev = new LauncherProcess(serin, ["dev", "--file", file], home);
    await dev.untilReady();
    const proxy = await dev.readPort("proxy");
    const answers: string[] = [];
    for (let request = 0; request < 8; request += 1)
      answers.push(await fetchText(`http://127.0.0.1:${proxy}/`));
    const sides = answers.map((answer) => answer.split(" ")[0]);
    expect(sides.filter((side) => side === "prod")).to.have.length(6);
    expect(sides.filter((side) => side === "canary")).to.have.length(2);
    const monitor = await dev.readPort("monitor");
    const state = await fetchText(`http://127.0.0.1:${monitor}/api/state`);
    const { hosts } = JSON.parse(state) as { hosts: { pid: number }[] };
    const pids = answers.map((answer) => Number(answer.split(" ")[1]));
    expect(hosts.map(({ pid }) => pid)).to.have.members([...new Set(pids)]);
  });

  it("has types for the code in docs/flags.md, and an OpenFeature provider", () => {
    link(service, "@types", "@openfeature");
    const documented = readFileSync(join(ROOT, "docs/flags.md"), "utf8");
    const blocks = [...documented.matchAll(/^```ts\n(.*?)^```$/gms)];
    const sources = [MISTAKE, ...blocks.map(([, block = ""]) => block)];
    expect(sources).to.have.length(3);
    const names = sources.map((_, i) => `service-${i}.ts`);
    for (const [i, source] of sources.entries())
      writeFileSync(join(service, names[i]!), source);
    const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
    const strictly = [
      "--noEmit",
      "--strict",
      "--skipLibCheck",
      "--target",
      "es2023",
    ];
    const modules = ["--module", "nodenext", "--types", "node"];
    const checked = () =>
      run(service, process.execPath, tsc, ...strictly, ...modules, ...names);
    expect(checked()).to.equal("");
    const script = 'await import("serin/openfeature")';
    run(service, process.execPath, "--input-type=module", "-e", script);
  });
});
