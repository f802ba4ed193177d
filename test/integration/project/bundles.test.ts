import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { releaseVersion } from "../../../lib/program/release.js";
import { spawnProgram } from "../../support/programs/program-process.js";
import { redisUrl } from "../../support/redis/redis-server.js";
import { openTestRedis } from "../../support/redis/test-redis.js";
import { createTempDirectory } from "../../support/temp-directory.js";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
/** Loaded first, keeps a program from starting. */
const NO_SERVERS = `data:text/javascript,${encodeURIComponent(`
  import http from "node:http";
  import { syncBuiltinESMExports } from "node:module";
  http.createServer = () => { throw new Error("no servers"); };
  syncBuiltinESMExports();
`)}`;
const RELEASE = "1.2.3-20260101000000-abc";

/** Some programs of a release, in a folder without node_modules. */
function unpackRelease(...programs: string[]): string {
  const release = createTempDirectory();
  for (const program of programs) {
    mkdirSync(join(release, "dist/apps", program), { recursive: true });
    for (const name of readdirSync(join(ROOT, "dist/apps", program)))
      if (/main\.js(\.map)?$/.test(name))
        cpSync(
          join(ROOT, "dist/apps", program, name),
          join(release, "dist/apps", program, name),
        );
  }
  cpSync(join(ROOT, "dist/shared"), join(release, "dist/shared"), {
    recursive: true,
  });
  writeFileSync(join(release, "package.json"), '{ "type": "module" }');
  writeFileSync(
    join(release, "release.json"),
    JSON.stringify({ release: RELEASE }),
  );
  return release;
}

/** The programs, what they share, and serin/client. */
function findBundles(): string[] {
  const programs = ["agent", "app", "cli", "monitor", "proxy"];
  const folders = programs.map((program) => `dist/apps/${program}`);
  return [...folders, "dist/shared", "dist/client"].flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith(".js"))
      .map((name) => join(ROOT, folder, name)),
  );
}

function run(release: string, program: string, ...args: string[]) {
  const main = join(release, "dist/apps", program, "main.js");
  return spawnSync(process.execPath, [main, ...args], {
    encoding: "utf8",
    env: { PORT: "none" },
  });
}

describe("a program's bundle", () => {
  for (const program of ["agent", "app", "monitor", "proxy"])
    it(`runs the ${program} without node_modules`, () => {
      const { status, stderr } = run(unpackRelease(program), program);
      expect(stderr).to.include(`${program} does not start`);
      expect(stderr).to.include("PORT");
      expect(status).to.equal(1);
    });

  it("finds the release.json of its release", () => {
    const { stdout, stderr } = run(unpackRelease("cli"), "cli", "--version");
    expect(stderr).to.equal("");
    expect(stdout).to.equal(`${RELEASE}\n`);
  });

  it("runs as npx serin after each build", () => {
    // npx makes it executable only when it links it for the first time.
    const { mode } = statSync(join(ROOT, "dist/apps/cli/main.js"));
    expect(mode & 0o111).to.equal(0o111);
    const args = ["--no-install", "serin", "--version"];
    const output = execFileSync("npx", args, { cwd: ROOT, encoding: "utf8" });
    expect(output.trim()).to.equal(releaseVersion());
  });

  it("has stack traces with source files and lines", async () => {
    const { exited, log } = spawnProgram("app", {
      NODE_OPTIONS: `--enable-source-maps --import=${NO_SERVERS}`,
      ROLE: "prod",
    });
    await exited;
    const failure = log.find(({ msg }) => msg === "app could not start");
    const { stack } = failure?.err as { stack: string };
    expect(stack).to.match(
      /Error: no servers\n.*\n? .*\bapps\/app\/[\w-]+\.ts:\d+/,
    );
  });

  it("has the licences of all its packages beside it", () => {
    const licences = readFileSync(
      join(ROOT, "dist/THIRD-PARTY-LICENSES"),
      "utf8",
    );
    // esbuild heads what it takes from a file with the file's path.
    const origin = /^ *\/\/ (?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//gm;
    const packages = new Set<string>(["uplot"]);
    for (const path of findBundles())
      for (const [, found = ""] of readFileSync(path, "utf8").matchAll(origin))
        packages.add(found);
    expect(packages).to.include.keys("express", "ioredis", "pino", "zod");
    const told = [...licences.matchAll(/^(\S+) \d\S* \(.+\)$/gm)];
    expect(told.map(([, name]) => name)).to.include.members([...packages]);
    expect(licences).to.include("Copyright (c) 2009-2014 TJ Holowaychuk");
  });
});

describe("record-deploy-main.js, which the playbooks run", () => {
  it("records a deploy with the commit of its release", async () => {
    const { keys, events } = openTestRedis();
    const program = join(unpackRelease("cli"), "dist/apps/cli");
    const release = createTempDirectory();
    mkdirSync(join(release, ".serin"));
    writeFileSync(
      join(release, ".serin/release.json"),
      '{"service":"shop","commit":"81fd353b24","author":"Ada","subject":"x"}',
    );
    const { stderr, status } = spawnSync(
      process.execPath,
      [
        join(program, "record-deploy-main.js"),
        ...["prod1 runs it", '{"host":"prod1"}', release],
      ],
      {
        encoding: "utf8",
        env: { REDIS_URL: redisUrl(), KEY_PREFIX: keys.prefix },
      },
    );
    expect(stderr).to.equal("");
    expect(status).to.equal(0);
    const entered = await events();
    expect(entered).to.have.length(1);
    expect(entered[0]).to.deep.include({
      kind: "deploy",
      by: "deploy",
      reason: "prod1 runs it",
      data: {
        commit: "81fd353b24",
        author: "Ada",
        subject: "x",
        host: "prod1",
      },
    });
  });
});
