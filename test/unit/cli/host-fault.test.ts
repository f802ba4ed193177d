import { tmpdir } from "node:os";
import { expect } from "chai";
import { CliError, EXIT } from "../../../apps/cli/exit-status.js";
import {
  findHostFault,
  requireSpace,
} from "../../../apps/cli/release/host-fault.js";

describe("a fault of the host", () => {
  it("is a server that does not answer, in the words of npm, pnpm, pip and Git", () => {
    for (const line of [
      "npm error code ECONNREFUSED",
      "npm ERR! code ENOTFOUND",
      "npm error code SELF_SIGNED_CERT_IN_CHAIN",
      "npm error network request to https://registry.npmjs.org/x failed",
      "ERR_PNPM_META_FETCH_FAIL GET https://registry.npmjs.org/x",
      "NewConnectionError: Failed to establish a new connection: [Errno 111]",
      "fatal: unable to access 'https://…': Could not resolve host: example.com",
    ])
      expect(findHostFault(`before\n${line}\nafter`), line).to.equal(
        EXIT.unreachable,
      );
  });

  it("is a full disk", () => {
    for (const line of [
      "npm error code ENOSPC",
      "tar: out: Cannot write: No space left on device",
    ])
      expect(findHostFault(line), line).to.equal(EXIT.usage);
  });

  it("is not what a test of the commit prints, or a package that does not exist", () => {
    for (const line of [
      "  1) the pool: expected ECONNREFUSED to equal ETIMEDOUT",
      "npm error code E404",
      "npm error code ERESOLVE",
      "src/index.ts(3,1): error TS2304",
    ])
      expect(findHostFault(line), line).to.equal(undefined);
  });

  it("keeps a commit from being rejected while a disk is full", () => {
    requireSpace([tmpdir()], 1);
    expect(() => {
      requireSpace([tmpdir()], Infinity);
    })
      .to.throw(CliError, `no space is left in ${tmpdir()}`)
      .with.property("status", EXIT.usage);
  });
});
