import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { takeLock } from "../../../lib/program/process-lock.js";
import { createTempDirectory } from "../../support/temp-directory.js";

describe("process lock", () => {
  const freshPath = () => join(createTempDirectory(), "service.lock");

  it("names the process that holds it until it is released", () => {
    const path = freshPath();
    const release = takeLock(path) as () => void;
    expect(takeLock(path)).to.equal(process.pid);
    release();
    expect(takeLock(path)).to.be.a("function");
  });

  it("is free if a later process has the holder's pid", function () {
    if (process.platform !== "linux") this.skip();
    const path = freshPath();
    takeLock(path);
    const held = JSON.parse(readFileSync(path, "utf8")) as object;
    writeFileSync(path, JSON.stringify({ ...held, startedAt: "1" }));
    expect(takeLock(path)).to.be.a("function");
  });
});
