import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { LaunchError } from "../../../apps/launcher/config.js";
import { CheckoutCache } from "../../../apps/launcher/source/checkout.js";
import { SourceFinder } from "../../../apps/launcher/source/source-finder.js";
import { readServiceFile } from "../../../lib/service-file.js";
import { ServiceRepository } from "../../support/programs/service-repository.js";
import { createServiceFile } from "../../support/programs/service-file.js";
import { createTempDirectory } from "../../support/temp-directory.js";

const SERVICE = "service: shop\nrun: node server.js\nbuild: make\n";

type Options = ConstructorParameters<typeof SourceFinder>[0];

/** A finder that notes what it builds. */
function find(file: string, options: Partial<Options> = {}) {
  const built: string[] = [];
  const env = { PATH: process.env.PATH, XDG_CACHE_HOME: createTempDirectory() };
  const service = readServiceFile(file);
  const cache = new CheckoutCache(service, env);
  const finder = new SourceFinder({
    ...{ service, env, cwd: "/", prod: undefined, canary: undefined },
    isBuilt: true,
    openCache: () => cache,
    build: (side, checkout, label) => {
      const text = readFileSync(
        join(checkout.service.directory, "text"),
        "utf8",
      );
      built.push(`${side} ${text}: ${label}`);
      return Promise.resolve();
    },
    ...options,
  });
  return { finder, built };
}

/** A repository with two commits and a change. */
function createRepository() {
  const repository = new ServiceRepository();
  repository.write({ "serin.yml": SERVICE, text: "one" });
  const first = repository.commit();
  repository.write({ "package.json": '{"version": "1.4.0"}', text: "two" });
  const second = repository.commit();
  repository.write({ text: "three", "new-file": "" });
  return { repository, first, second };
}

/** The same without Git. */
function createFolder() {
  const directory = createTempDirectory();
  const service = join(directory, "serin.yml");
  writeFileSync(service, SERVICE);
  return { service, directory };
}

describe("sources of serin dev", () => {
  it("are the last commit and the working tree, each built in a copy", async () => {
    const { repository, second } = createRepository();
    const { finder, built } = find(repository.file);
    const prod = await finder.openProd();
    const canary = await finder.openCanary();
    const sha = second.slice(0, 10);
    expect(built).to.deep.equal([
      `prod two: HEAD (${sha})`,
      "canary three: the working tree",
    ]);
    expect(prod.release).to.match(new RegExp(`^1\\.4\\.0-\\d{14}-${sha}$`));
    expect(canary.release).to.match(/\+\d{6}$/);
    expect(canary.service.directory).not.to.equal(repository.root);
    expect(existsSync(join(canary.service.directory, "new-file"))).to.equal(
      true,
    );
    expect(repository.git("status", "--porcelain")).to.equal(
      "M text\n?? new-file",
    );
  });

  it("have the stable revision as prod if there is one, or the one asked for", async () => {
    const { repository, first, second } = createRepository();
    repository.git("branch", "stable", first);
    const stable = await find(repository.file).finder.openProd();
    expect(stable.label).to.equal(`stable (${first.slice(0, 10)})`);
    repository.git("branch", "stable-shop", second);
    const own = await find(repository.file).finder.openProd();
    expect(own.label).to.match(/^stable-shop /);
    const { finder } = find(repository.file, { prod: "HEAD" });
    expect((await finder.openProd()).label).to.include(second.slice(0, 10));
  });

  it("are built once for each commit", async () => {
    const { repository } = createRepository();
    const { finder, built } = find(repository.file);
    for (const text of ["three", "three", "four"]) {
      repository.write({ text });
      await finder.openProd();
      await finder.openCanary();
    }
    expect(built.map((line) => line.split(":")[0])).to.deep.equal([
      ...["prod two", "canary three", "canary four"],
    ]);
  });

  it("are built again after a build of another commit has failed", async () => {
    const { repository, second } = createRepository();
    let isBroken = false;
    const built: string[] = [];
    const { finder } = find(repository.file, {
      build: (side) => {
        built.push(side);
        return isBroken ? Promise.reject(new Error("make")) : Promise.resolve();
      },
    });
    const openBoth = async () => {
      await finder.openProd().catch(() => undefined);
      await finder.openCanary().catch(() => undefined);
    };
    await openBoth();
    isBroken = true;
    repository.commit();
    repository.write({ text: "four" });
    await openBoth();
    isBroken = false;
    repository.git("reset", "--quiet", second);
    repository.write({ text: "three" });
    built.length = 0;
    await openBoth();
    expect(built).to.deep.equal(["prod", "canary"]);
  });

  it("are built again when their copies are gone", async () => {
    const { repository } = createRepository();
    const { finder, built } = find(repository.file);
    const { service } = await finder.openProd();
    repository.git("worktree", "lock", service.directory);
    rmSync(service.directory, { recursive: true });
    await finder.openProd();
    expect(built).to.have.length(2);
  });

  it("share a copy when nothing has changed", async () => {
    const { repository } = createRepository();
    repository.commit();
    const { finder, built } = find(repository.file);
    const prod = await finder.openProd();
    const canary = await finder.openCanary();
    expect(canary.service.directory).to.equal(prod.service.directory);
    expect(canary.release).to.equal(prod.release);
    expect(built).to.have.length(1);
  });

  it("run the working tree in place if there is nothing to build", async () => {
    const { repository } = createRepository();
    const unbuilt = { isBuilt: false };
    const { finder } = find(repository.file, unbuilt);
    const canary = await finder.openCanary();
    expect(canary.service.directory).to.equal(repository.root);
  });

  it("are both the folder outside of Git, and before the first commit", async () => {
    const { path, directory } = createServiceFile();
    const { finder } = find(path);
    const prod = await finder.openProd();
    expect(prod.service.directory).to.equal(directory);
    expect(prod.label).to.equal(
      "the working tree, because it is in no Git repository",
    );
    const empty = new ServiceRepository();
    empty.write({ "serin.yml": SERVICE, text: "none" });
    const first = await find(empty.file).finder.openProd();
    expect(first.label).to.match(/because there is no commit HEAD in /);
  });

  it("are found in a folder of a larger repository", async () => {
    const repository = new ServiceRepository();
    repository.write({ "shop/serin.yml": SERVICE, "shop/text": "one" });
    repository.commit();
    const file = join(repository.root, "shop/serin.yml");
    const prod = await find(file).finder.openProd();
    expect(prod.service.directory).to.match(/\/prod\/shop\/?$/);
    mkdirSync(join(repository.root, "new"));
    repository.write({ "new/serin.yml": SERVICE, "new/text": "one" });
    const young = join(repository.root, "new/serin.yml");
    expect((await find(young).finder.openProd()).label).to.include(
      "because HEAD does not hold new/",
    );
  });

  it("reject a revision or a folder that does not exist", async () => {
    const { repository } = createRepository();
    const reject = async (options: Partial<Options>, text: string) => {
      const { finder } = find(repository.file, options);
      const opening = finder.openProd().then(() => finder.openCanary());
      const failure = await opening.catch((err: unknown) => err);
      expect(failure).to.be.instanceOf(LaunchError);
      expect((failure as LaunchError).status).to.equal(2);
      expect((failure as Error).message).to.include(text);
    };
    await reject({ prod: "v9" }, "--prod v9: there is no commit v9 in ");
    await reject(
      { canary: "slwo" },
      "--canary slwo: it is no fault (slow, errors, crash, hang), and there is no folder ",
    );
  });

  it("ignore what the service writes, and what Git ignores", async () => {
    const { repository } = createRepository();
    repository.write({
      ...{ "serin.yml": `${SERVICE}writable: [uploads]\n` },
      ...{ ".gitignore": "dist\n", "dist/a": "", "uploads/b": "" },
    });
    const { finder } = find(repository.file);
    const asItIs = find(repository.file, { isBuilt: false }).finder;
    const isReopened = async (one: SourceFinder, ...paths: string[]) =>
      (await one.reopenCanary(paths)) !== undefined;
    expect(await isReopened(finder, "uploads/b")).to.equal(false);
    expect(await isReopened(finder, "dist/a")).to.equal(false);
    expect(await isReopened(finder, "dist/a", "text")).to.equal(true);
    expect(await isReopened(asItIs, "dist/a")).to.equal(true);
    expect(await isReopened(asItIs, "uploads/b")).to.equal(false);
  });

  it("stay as they are when files were written with what they held", async () => {
    const { repository } = createRepository();
    const { finder, built } = find(repository.file);
    await finder.openCanary();
    repository.write({ text: "three" });
    expect(await finder.reopenCanary(["text"])).to.equal(undefined);
    repository.write({ text: "four" });
    expect(await finder.reopenCanary(["text"])).not.to.equal(undefined);
    expect(built).to.have.length(2);
  });

  it("are built again after a build that failed, of the same files too", async () => {
    const { repository } = createRepository();
    let builds = 0;
    const build = () =>
      ++builds === 2 ? Promise.reject(new Error("make")) : Promise.resolve();
    const { finder } = find(repository.file, { build });
    await finder.openCanary();
    repository.write({ text: "four" });
    const failure: unknown = await finder
      .reopenCanary(["text"])
      .catch((err: unknown) => err);
    expect(failure).to.be.instanceOf(Error);
    expect(await finder.reopenCanary(["text"])).not.to.equal(undefined);
    expect(builds).to.equal(3);
  });

  it("are not built without Git, and say so", async () => {
    const { service, directory } = createFolder();
    const { finder, built } = find(service);
    const prod = await finder.openProd();
    const canary = await finder.openCanary();
    expect(built).to.deep.equal([]);
    for (const { isUnbuilt, advice } of [prod, canary]) {
      expect(isUnbuilt).to.equal(true);
      expect(advice).to.match(/^`make` was not run, because .+ no Git /);
    }
    expect(canary.service.directory).to.equal(directory);
  });

  it("come from a copy that a killed Git has left locked", async () => {
    const { repository } = createRepository();
    const { finder } = find(repository.file);
    const { service } = await finder.openProd();
    repository.commit();
    const { directory } = service;
    const path = ["rev-parse", "--path-format=absolute", "--git-path"];
    const lock = repository.git("-C", directory, ...path, "index.lock");
    writeFileSync(lock, "");
    await finder.openProd();
    expect(readFileSync(join(directory, "text"), "utf8")).to.equal("three");
  });

  it("say how a repository is unlocked", async () => {
    const { repository } = createRepository();
    const { finder } = find(repository.file);
    const lock = `.git/index.serin-dev-${process.pid}.lock`;
    writeFileSync(join(repository.root, lock), "");
    const failure: unknown = await finder
      .openCanary()
      .catch((err: unknown) => err);
    expect(failure).to.be.instanceOf(LaunchError);
    expect((failure as Error).message)
      .to.match(/^git is locked in .+ if none does, remove .+\.lock$/)
      .and.include(lock);
  });
});
