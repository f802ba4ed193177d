import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import {
  checkVault,
  findVault,
  prepareVault,
} from "../../../apps/cli/release/vault.js";
import { createTempDirectory } from "../../support/temp-directory.js";

/** test/deployment has a vault that Ansible reads. */
describe("the vault of a service, without Ansible", () => {
  function createService() {
    const directory = createTempDirectory();
    const env = { HOME: join(directory, "home"), PATH: directory };
    const file = {
      ...{ directory, service: "shop", redis: { host: "10.0.0.14" } },
      env: { clear: {}, secret: [] },
    };
    return { file, env };
  }

  it("is beside serin.yml, its password in the user's settings", () => {
    const { file, env } = createService();
    expect(findVault(file, env)).to.deep.equal({
      path: join(file.directory, "serin.vault.yml"),
      passwordFile: join(env.HOME, ".config/serin/shop.vault-password"),
    });
    const named = { ...env, ANSIBLE_VAULT_PASSWORD_FILE: "/run/password" };
    expect(findVault(file, named).passwordFile).to.equal("/run/password");
  });

  it("is not written, and the error says how to install Ansible", () => {
    const { file, env } = createService();
    const said: string[] = [];
    expect(() => prepareVault(file, env, (line) => said.push(line))).to.throw(
      /ansible-vault cannot start .*: install ansible-core \(apt-get install/,
    );
    const { path, passwordFile } = findVault(file, env);
    expect(existsSync(path)).to.equal(false);
    expect(statSync(passwordFile).mode & 0o777).to.equal(0o600);
    expect(said).to.deep.equal([
      `wrote ${passwordFile}, the password of the vault`,
    ]);
  });

  it("is missing for a release before the setup", () => {
    const { file, env } = createService();
    expect(() => checkVault(file, env)).to.throw(
      "serin.vault.yml does not exist: write it with `serin setup`",
    );
  });

  it("needs the password with which it was encrypted", () => {
    const { file, env } = createService();
    const { path, passwordFile } = findVault(file, env);
    writeFileSync(path, "$ANSIBLE_VAULT;1.1;AES256\n00");
    for (const use of [checkVault, prepareVault])
      expect(() => use(file, env, () => undefined)).to.throw(
        `the password of ${path} is missing: copy it to ${passwordFile}`,
      );
  });
});
