import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { packageRoot, releaseVersion } from "../../../lib/program/release.js";

describe("release of the code", () => {
  let folder: string;
  let root: string;
  const write = (name: string, content: unknown) => {
    writeFileSync(join(folder, name), JSON.stringify(content));
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "serin-test-"));
    root = pathToFileURL(`${folder}/`).href;
    write("package.json", { name: "serin", version: "1.2.3" });
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("is package.json's version in a checkout", () => {
    expect(releaseVersion(root)).to.equal("1.2.3");
  });

  it("is the name in release.json on a host, whatever the version", () => {
    write("release.json", { release: "1.2.3-20260101000000-abc" });
    expect(releaseVersion(root)).to.equal("1.2.3-20260101000000-abc");
  });

  it("throws when release.json has no name", () => {
    write("release.json", { version: "1.2.3" });
    expect(() => releaseVersion(root)).to.throw("release");
  });

  it("is found from any depth", () => {
    mkdirSync(join(folder, "dist/apps"), { recursive: true });
    const module = `${root}dist/apps/main.js`;
    expect(releaseVersion(module)).to.equal("1.2.3");
    write("release.json", { release: "1.2.3-20260101000000-abc" });
    expect(releaseVersion(module)).to.equal("1.2.3-20260101000000-abc");
  });

  it("throws when neither file exists", () => {
    rmSync(join(folder, "package.json"));
    expect(() => releaseVersion(root)).to.throw("neither release.json");
  });

  it("lies in the nearest folder with a package.json", () => {
    mkdirSync(join(folder, "dist/apps"), { recursive: true });
    expect(packageRoot(`${root}dist/apps/main.js`)).to.equal(`${folder}/`);
    rmSync(join(folder, "package.json"));
    expect(() => packageRoot(root)).to.throw("no package.json");
  });

  it("is the version in package.json of this checkout", () => {
    expect(releaseVersion()).to.match(/^\d+\.\d+\.\d+$/);
  });
});
