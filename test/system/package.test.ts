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
/** For two builds by npm, on a busy machine. */
const BUILD_LIMIT_MS = 90_000;

/** Wrong, which a compiler detects only with the types at hand. */
const MISTAKE = `
import { createFlags } from "serin/client";
import { SerinProvider } from "serin/openfeature";
// @ts-expect-error a name is a string
(await createFlags()).isOn(1);
// @ts-expect-error no options
new SerinProvider(1);
`;

/** Services of people who have never used Serin. All but the static site name who answers. */
const NEWCOMERS: Record<
  string,
  { run: string; packages?: string[]; files: Record<string, string> }
> = {
  "a service without packages": {
    run: "node server.js",
    files: {
      "server.js": `import { createServer } from "node:http";
const { PORT, HOST, SERIN_SIDE } = process.env;
createServer(({ url }, response) =>
  response.end(url === "/healthz" ? "ok" : SERIN_SIDE + " " + process.pid),
).listen(PORT, HOST);
`,
    },
  },
  "an Express app": {
    run: "node app.js",
    packages: ["express@5"],
    files: {
      "app.js": `import express from "express";
const app = express();
const { PORT, HOST, SERIN_SIDE } = process.env;
app.get("/", (_request, response) => response.send(SERIN_SIDE + " " + process.pid));
app.listen(PORT, HOST);
`,
    },
  },
  "a Fastify app": {
    run: "node app.js",
    packages: ["fastify@5"],
    files: {
      "app.js": `import { fastify } from "fastify";
const app = fastify();
const { PORT: port, HOST: host, SERIN_SIDE } = process.env;
app.get("/", () => Promise.resolve(SERIN_SIDE + " " + process.pid));
await app.listen({ port, host });
`,
    },
  },
  "a static site": {
    run: "python3 -m http.server",
    files: { "index.html": "<h1>Shop</h1>" },
  },
};
const AUTHOR = ["-c", "user.name=a", "-c", "user.email=a@example.com"];

async function fetchText(url: string): Promise<string> {
  const response = await fetch(url);
  return await response.text();
}

interface Host {
  target: string;
  pid: number;
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

/** By which npm reaches its registry and its cache. */
const ofNpm = Object.fromEntries(
  Object.entries(process.env).filter(([name]) =>
    /^(HOME|npm_config_\w+|\w+_proxy|NODE_EXTRA_CA_CERTS)$/i.test(name),
  ),
);

/** Installs packages as npm has them, beside others in its cache. */
function install(service: string, ...packages: string[]): void {
  const quietly = ["--prefer-offline", "--no-audit", "--no-fund", "--silent"];
  run(service, "npm", "install", ...quietly, ...packages);
}

function createService(service: string, files: Record<string, string>): void {
  mkdirSync(service);
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(service, name), text);
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
  this.timeout(300_000);
  let packed: ReturnType<typeof pack>;
  let folder: string;
  let service: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "serin-test-"));
    service = join(folder, "service");
    packed = pack(join(folder, "copy"));
    createService(service, { "package.json": '{ "type": "module" }' });
    install(service, "--save-dev", packed.tarball);
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

  for (const [who, { run: command, packages = [], files }] of Object.entries(
    NEWCOMERS,
  ))
    it(`leads ${who} from serin init to its first canary`, async () => {
      const own = join(folder, who.replaceAll(" ", "-"));
      const isStatic = "index.html" in files;
      const start = { type: "module", scripts: { start: command } };
      createService(own, {
        ...files,
        ...(!isStatic && { "package.json": JSON.stringify(start) }),
        ".gitignore": "node_modules\n",
      });
      if (packages.length > 0) install(own, ...packages);
      run(own, "git", "init", "--quiet");
      run(own, "git", "add", ".");
      run(own, "git", ...AUTHOR, "commit", "--quiet", "--message", "shop");
      const serin = join(service, "node_modules/serin/dist/apps/cli/main.js");
      expect(run(own, process.execPath, serin, "init")).to.match(
        new RegExp(`run +${command}`),
      );
      const file = join(own, "serin.yml");
      expect(readFileSync(file, "utf8").split("\n")).to.have.length.below(25);

      const dev = new LauncherProcess(serin, ["dev", "--file", file], {
        ...ofNpm,
        XDG_CACHE_HOME: join(folder, "cache"),
      });
      await dev.untilReady(BUILD_LIMIT_MS);
      const proxy = await dev.readPort("proxy");
      const served: { side: string | null; text: string }[] = [];
      for (let request = 0; request < 8; request += 1) {
        const response = await fetch(`http://127.0.0.1:${proxy}/`);
        const side = response.headers.get("x-served-by");
        served.push({ side, text: await response.text() });
      }
      const countOf = (name: string) =>
        served.filter(({ side }) => side === name).length;
      expect([countOf("prod"), countOf("canary")]).to.deep.equal([6, 2]);
      if (isStatic) {
        expect(served[0]?.text).to.equal(files["index.html"]);
        return;
      }
      const monitor = await dev.readPort("monitor");
      const state = await fetchText(`http://127.0.0.1:${monitor}/api/state`);
      const { hosts } = JSON.parse(state) as { hosts: Host[] };
      const measured = hosts.map(({ target, pid }) => `${target} ${pid}`);
      expect(new Set(measured)).to.deep.equal(
        new Set(served.map(({ text }) => text)),
      );
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
