import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { packageSerin } from "../../../../apps/cli/release/packing/package-serin.js";
import { expect } from "chai";
import { onCleanup } from "../../../support/cleanup.js";
import { GitRepository } from "../../../support/git-repository.js";
import { runCli, type CliResult } from "../../../support/programs/cli.js";
import { freshKeys } from "../../../support/redis/redis-server.js";
import { createTempDirectory } from "../../../support/temp-directory.js";

const SHOP = "service: shop\nrun: node server.js\n";

/** A repository with a service whose files are these. */
function createService(files: Record<string, string> = {}): GitRepository {
  const repository = new GitRepository();
  const all = { "serin.yml": SHOP, "server.js": "serve();", ...files };
  for (const [path, text] of Object.entries(all)) repository.write(path, text);
  repository.commit();
  return repository;
}

async function pack(folder: string, ...args: string[]): Promise<CliResult> {
  return await runCli(freshKeys(), ["package", ...args], { PWD: folder });
}

/** The paths in a service's tarball, below its one folder. */
function list(folder: string, service = "shop"): string[] {
  const tarball = join(folder, "artifacts", `${service}.tar.gz`);
  return execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" })
    .trimEnd()
    .split("\n")
    .map((path) => path.replace(/^[^/]+\/(\.\/)?/, ""))
    .filter((path) => path !== "" && !path.endsWith("/"));
}

function read(folder: string, path: string): string {
  const tarball = join(folder, "artifacts", "shop.tar.gz");
  return execFileSync("tar", ["-xzOf", tarball, "--wildcards", `*/${path}`], {
    encoding: "utf8",
  });
}

const digest = (path: string) =>
  createHash("sha256").update(readFileSync(path)).digest("hex");

describe("serin package", () => {
  it("packs all files of a commit with a description of the release", async () => {
    const { path: folder } = createService({
      "serin.yml": `${SHOP}env: {clear: {COLOUR: "a 'b' $c"}, secret: [TOKEN]}\nhooks: {before: ./migrate}\nhealth: none\n`,
      "package.json": '{"version": "1.2.3"}',
      "lib/a.js": "a",
    });
    const { status, stdout, stderr } = await pack(folder);
    expect(stderr).to.equal("");
    expect(status).to.equal(0);
    expect(stdout).to.match(
      /^packed shop-1\.2\.3-\d{14}-[\da-f]{10}\.tar\.gz, /,
    );
    expect(list(folder)).to.deep.equal([
      ".serin/env",
      ".serin/health",
      ".serin/hooks/before",
      ".serin/release.json",
      ".serin/run",
      ".serin/secrets",
      "lib/a.js",
      "package.json",
      "serin.yml",
      "server.js",
    ]);
    const release = JSON.parse(read(folder, ".serin/release.json")) as object;
    expect(release).to.include({
      service: "shop",
      version: "1.2.3",
      subject: "a change",
      author: "Tester",
    });
    expect(release).not.to.have.property("architecture");
    expect(read(folder, ".serin/run")).to.equal("node server.js\n");
    expect(JSON.parse(read(folder, ".serin/env"))).to.deep.equal({
      COLOUR: "a 'b' $c",
    });
    expect(JSON.parse(read(folder, ".serin/secrets"))).to.deep.equal(["TOKEN"]);
    expect(JSON.parse(read(folder, ".serin/health"))).to.deep.equal({
      path: null,
      timeoutMs: 5000,
      startMs: 30000,
    });
  });

  it("gives the same bytes from another clone, umask and time zone", async () => {
    const { path: folder } = createService({
      "serin.yml": `${SHOP}build: mkdir out && echo built >out/b && ln -s b out/link\ninclude: [out, server.js]\n`,
    });
    await pack(folder);
    const clone = join(createTempDirectory(), "some where else");
    execFileSync("git", ["clone", "--quiet", folder, clone]);
    const umask = process.umask(0o077);
    onCleanup(() => process.umask(umask));
    const env = { PWD: clone, TZ: "Asia/Tokyo" };
    await runCli(freshKeys(), ["package"], env);
    const [one = "", other = ""] = [folder, clone].map((place) =>
      realpathSync(join(place, "artifacts", "shop.tar.gz")),
    );
    expect(digest(other)).to.equal(digest(one));
    expect(readFileSync(`${one}.sha256`, "utf8")).to.equal(
      `${digest(one)}  ${basename(one)}\n`,
    );
  });

  it("builds in a clean checkout and packs only what include names", async () => {
    const { path: folder } = createService({
      "serin.yml": `${SHOP}build: test ! -e untracked && mkdir -p dist/sub && echo 1 >dist/sub/x\ninclude: [dist, dist/sub, server.js]\n`,
    });
    writeFileSync(join(folder, "untracked"), "");
    const { status, stdout } = await pack(folder);
    expect(status).to.equal(0);
    expect(stdout).to.include(
      "warning: 1 changed file is not committed, and not in the release",
    );
    expect(
      list(folder).filter((path) => !path.startsWith(".serin")),
    ).to.deep.equal(["dist/sub/x", "server.js"]);
    expect((await pack(folder, "HEAD~0")).stdout).not.to.include("warning");
  });

  it("packs a service that lies in a folder of its repository", async () => {
    const repository = new GitRepository();
    repository.write("shared.txt", "shared");
    repository.write(
      "services/shop/serin.yml",
      `${SHOP}build: cp ../../shared.txt .\ninclude: [shared.txt]\n`,
    );
    repository.commit();
    const folder = join(repository.path, "services/shop");
    expect(await pack(folder)).to.include({ status: 0, stderr: "" });
    expect(list(folder)).to.include("shared.txt");
  });

  it("reports a failed build with the end of its output and changes nothing", async () => {
    const { path: folder } = createService({
      "serin.yml": `${SHOP}build: echo compiling; echo 'no such module' >&2; exit 3\n`,
    });
    const { status, stderr } = await pack(folder);
    expect(status).to.equal(1);
    expect(stderr).to.match(
      /^serin: the build ended with status 3 \(echo comp/,
    );
    expect(stderr).to.include("no such module");
    expect(existsSync(join(folder, "artifacts", "shop.tar.gz"))).to.equal(
      false,
    );
  });

  it("names the files of include that are missing", async () => {
    const { path: folder } = createService({
      "serin.yml": `${SHOP}include: [dist, server.js, public]\n`,
    });
    const { status, stderr } = await pack(folder);
    expect(status).to.equal(1);
    expect(stderr).to.equal(
      "serin: include names dist, public, which is not in the commit: commit it, or make it by a build\n",
    );
  });

  it("packs an artifact, but none that is older than the commit or missing", async () => {
    const { path: folder } = createService({
      "serin.yml": `${SHOP}artifact: out/shop.tgz\n`,
      ".gitignore": "out\n",
    });
    const missing = await pack(folder);
    expect(missing.status).to.equal(1);
    expect(missing.stderr).to.match(
      /^serin: there is no artifact .*shop\.tgz: make it/,
    );
    execFileSync(
      "/bin/sh",
      ["-c", "mkdir out && tar -czf out/shop.tgz server.js"],
      {
        cwd: folder,
      },
    );
    expect((await pack(folder)).status).to.equal(0);
    expect(list(folder)).to.include("server.js");
    utimesSync(join(folder, "out/shop.tgz"), 1e9, 1e9);
    const old = await pack(folder);
    expect(old.status).to.equal(1);
    expect(old.stderr).to.match(
      /is older than the commit: make it again from this commit\n$/,
    );
  });

  it("keeps links within the release and rejects those that leave it", async () => {
    const repository = createService();
    repository.link("node_modules/.bin/tool", "../tool/main.js");
    repository.write("node_modules/tool/main.js", "");
    repository.commit();
    expect((await pack(repository.path)).status).to.equal(0);
    repository.link("node_modules/shared", "../../shared");
    repository.link("absolute", "/etc/hosts");
    repository.commit();
    const { status, stderr } = await pack(repository.path);
    expect(status).to.equal(1);
    expect(stderr)
      .to.include("point outside of it: ")
      .and.include("node_modules/shared → ../../shared")
      .and.include("absolute → /etc/hosts")
      .and.not.include("tool");
  });

  it("rejects a link that leaves the release through another link", async () => {
    const repository = createService({ "a/b/c/file": "" });
    repository.link("a/b/c/top", "../../..");
    repository.link("tricky", "a/b/c/top/..");
    repository.link("dangling", "a/b/c/top/../x");
    repository.link("deep", "a/b/c");
    repository.link("e/f/up", "../../deep/..");
    repository.commit();
    const { status, stderr } = await pack(repository.path);
    expect(status).to.equal(1);
    expect(stderr)
      .to.include("tricky → a/b/c/top/..")
      .and.include("dangling → a/b/c/top/../x")
      .and.not.include("up →");
  });

  it("rejects a writable folder behind a link", async () => {
    const repository = createService({
      "serin.yml": `${SHOP}writable: [data/uploads]\n`,
      "real/uploads/x": "",
    });
    repository.link("data", "real");
    repository.commit();
    expect((await pack(repository.path)).stderr).to.include(
      "writable names data/uploads, and data is a link in the release",
    );
  });

  it("never moves files from outside of the checkout", async () => {
    const outside = createTempDirectory();
    writeFileSync(join(outside, "mine"), "mine");
    const repository = createService({
      "serin.yml": `${SHOP}include: [server.js, link/mine]\n`,
    });
    repository.link("link", outside);
    repository.commit();
    const { status, stderr } = await pack(repository.path);
    expect(existsSync(join(outside, "mine"))).to.equal(true);
    expect(stderr).to.include("include names link/mine, which is reached");
    expect(status).to.equal(1);
  });

  it("records the architecture of native modules", async () => {
    const repository = createService();
    const elf = Buffer.alloc(64);
    elf.write("\x7fELF", "latin1");
    elf.writeUInt16LE(183, 18);
    writeFileSync(join(repository.path, "addon.node"), elf);
    repository.commit();
    await pack(repository.path);
    expect(read(repository.path, ".serin/release.json")).to.include(
      '"architecture": "arm64"',
    );
  });

  it("explains what is missing before there is a release", async () => {
    const { path: folder } = createService();
    const uncommitted = new GitRepository();
    uncommitted.commit();
    uncommitted.write("serin.yml", SHOP);
    const bare = createTempDirectory();
    writeFileSync(join(bare, "serin.yml"), SHOP);
    for (const [place, args, sentence] of [
      [folder, ["nonsense"], /no commit nonsense/],
      [
        uncommitted.path,
        [],
        /serin\.yml is not in commit \w{10}: commit it first/,
      ],
      [bare, [], /is in no Git repository: .* run git init/],
    ] as const) {
      const { status, stderr } = await pack(place, ...args);
      expect(status, stderr).to.equal(2);
      expect(stderr).to.match(sentence);
    }
    const bad = createService({ "serin.yml": "service: Shop\n" });
    const { status, stderr } = await pack(bad.path);
    expect(status).to.equal(2);
    expect(stderr)
      .to.match(/^serin: serin\.yml:1: /)
      .and.include("run is missing");
  });
});

describe("serin package --serin", () => {
  const createRoot = () => {
    const root = createTempDirectory();
    for (const path of [
      "dist/apps/agent",
      "dist/apps/launcher",
      "dist/apps/app",
    ])
      mkdirSync(join(root, path), { recursive: true });
    writeFileSync(join(root, "dist/apps/agent/main.js"), "sample();");
    writeFileSync(join(root, "dist/apps/launcher/main.js"), "launch();");
    writeFileSync(join(root, "dist/apps/app/main.js"), "sample();");
    writeFileSync(join(root, "LICENSE"), "free");
    const manifest = { name: "serin", version: "1.2.3", scripts: {} };
    writeFileSync(join(root, "package.json"), JSON.stringify(manifest));
    return root;
  };

  it("packs the programs of hosts under a name that tells their content", () => {
    const [root, same, other] = [createRoot(), createRoot(), createRoot()];
    writeFileSync(join(other, "dist/apps/agent/main.js"), "changed();");
    const [path = "", samePath = "", otherPath = ""] = [root, same, other].map(
      (one) => packageSerin(one, join(one, "artifacts")),
    );
    expect(basename(path)).to.match(/^serin-1\.2\.3-[\da-f]{10}\.tar\.gz$/);
    expect(list(root, "serin")).to.deep.equal([
      "LICENSE",
      "dist/apps/agent/main.js",
      "package.json",
      "release.json",
    ]);
    expect(basename(samePath)).to.equal(basename(path));
    expect(digest(samePath)).to.equal(digest(path));
    expect(basename(otherPath)).not.to.equal(basename(path));
  });

  it("rejects a checkout that is not built, or built for tests", () => {
    const root = createRoot();
    mkdirSync(join(root, "dist/test"));
    expect(() => packageSerin(root, join(root, "artifacts"))).to.throw(
      "is a build for tests",
    );
    rmSync(join(root, "dist"), { recursive: true });
    expect(() => packageSerin(root, join(root, "artifacts"))).to.throw(
      "is not built: npm run build",
    );
  });
});
