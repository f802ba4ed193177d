import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { skipWithout } from "../../support/needed-program.js";
import { ServiceRole } from "../../support/ansible/service-role.js";

const FIRST = "1.0.0-20260101000000-aaaaaaaaaa";
const SECOND = "1.0.1-20260102000000-bbbbbbbbbb";

describe("the environment of a release on a host", function () {
  // Ansible is slow on a busy machine.
  this.timeout(300_000);
  let role: ServiceRole;

  before(function () {
    if (process.getuid?.() !== 0) this.skip();
    skipWithout(this, {
      names: ["ansible-playbook"],
      debianPackage: "ansible-core",
    });
  });

  beforeEach(() => {
    role = new ServiceRole();
  });

  const deploy = (release: string, password: string, variables = {}) => ({
    how: "deploy" as const,
    variables: {
      service_artifact: role.pack(release, {
        env: { COLOUR: "red" },
        secrets: ["PASSWORD"],
      }),
      service_secrets: { PASSWORD: password },
      ...variables,
    },
  });
  const rollback = (variables = {}) => ({
    how: "rollback" as const,
    variables,
  });
  const backToStable = (release: string) =>
    rollback({ service_release: release, service_release_is_stable: true });

  it("stays as it is when the same commit is released with other secrets, and returns with a roll-back", () => {
    role.run(deploy(FIRST, "old"), deploy(FIRST, "new"));
    const renamed = role.current;
    expect(renamed).to.match(
      /^1\.0\.0-20260101000000-aaaaaaaaaa\+[0-9a-f]{8}$/,
    );
    expect(role.variable(FIRST, "PASSWORD")).to.equal("old");
    expect(role.variable(renamed, "PASSWORD")).to.equal("new");
    expect(role.variable(renamed, "COLOUR")).to.equal("red");
    expect(role.variable(renamed, "SERIN_RELEASE")).to.equal(renamed);
    expect(role.manifest(renamed).release).to.equal(renamed);
    expect(role.manifest(FIRST).release).to.equal(FIRST);
    role.run(rollback());
    expect(role.current).to.equal(FIRST);
  });

  it("is the one that prod ran last when the canary gets the stable release back", () => {
    role.run(
      deploy(FIRST, "old"),
      deploy(FIRST, "new"),
      deploy(FIRST, "new"),
      backToStable(FIRST),
    );
    expect(role.current).to.equal(FIRST);
    role.run(deploy(FIRST, "new"));
    const promoted = role.current;
    // A host that keeps one release keeps the stable one, too.
    role.run(
      { how: "mark_stable", variables: { service_release: promoted } },
      deploy(SECOND, "new", { service_keep: 1 }),
    );
    expect(role.has(FIRST)).to.equal(false);
    role.run(backToStable(FIRST));
    expect(role.current).to.equal(promoted);
  });

  it("never loses a file to a writable folder below another", () => {
    role.replace({
      runuser: 'shift 3; exec "$@"',
      install: 'for folder; do :; done; mkdir -p "$folder"',
    });
    const state = join(role.root, "state");
    const files = { "uploads/avatars/a.png": "a face" };
    const keep = (...service_writable: string[]) => ({
      how: "deploy" as const,
      variables: {
        service_artifact: role.pack(FIRST, { files }),
        ...{ service_writable, __service_state: state },
      },
    });
    expect(() => role.run(keep("uploads/", "uploads/avatars"))).to.throw(
      "writable: uploads of this release is a link",
    );
    role.run(keep("uploads/"), keep("uploads/"));
    expect(existsSync(join(state, "uploads/avatars/a.png"))).to.equal(true);
  });
});
