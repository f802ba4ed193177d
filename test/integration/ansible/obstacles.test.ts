import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { skipWithout } from "../../support/needed-program.js";
import { ServiceRole } from "../../support/ansible/service-role.js";

describe("before it changes a host, the role", function () {
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

  it("rejects a port of another service's unit that is stopped", () => {
    role.replace({
      ss: "",
      systemctl: `case "$*" in *is-active*) exit 3 ;; *gone*) exit 1 ;; esac`,
    });
    for (const unit of ["web@3001", "gone@3002", "web-proxy"]) {
      const folder = join(role.root, "settings", unit.replace(/@.*/, ""));
      mkdirSync(folder, { recursive: true });
      const port = unit.split("@")[1] ?? "9000";
      const text = `HOST="10.0.0.1"\nPORT="${port}"\nADMIN_PORT="9001"\n`;
      writeFileSync(join(folder, `${unit}.env`), text);
    }
    const look = (ports: number[]) =>
      role.run({
        how: "obstacles",
        variables: {
          service_units: [{ name: "shop@1", ports, health_url: "" }],
        },
      });
    expect(() => look([3001, 9001]))
      .to.throw("port 3001 belongs to web@3001, which is stopped: give shop@1")
      .with.property("message")
      .which.includes("port 9001 belongs to web-proxy");
    look([3002, 4000]);
  });

  it("rejects a key prefix within another service's", () => {
    const parts = join(role.root, "users.acl.d");
    mkdirSync(parts);
    const rights = "user x (%W~shop:events +xadd) (~shop:events ~shop:outbox)";
    writeFileSync(join(parts, "shop.acl"), rights);
    const look = (redis_service: string, redis_key_prefix: string) =>
      role.run({
        ...{ role: "redis", how: "prefix" },
        variables: { redis_service, redis_key_prefix, __redis_acl_parts: parts },
      });
    expect(() => look("web", "shop:x:")).to.throw(
      "The key prefix shop:x: and shop: of another service",
    );
    expect(() => look("web", "sho")).to.throw("sho and shop: of another");
    expect(() => look("web", "shop:")).to.throw("shop: belongs to another");
    look("web", "shopping:");
    look("shop", "shop:");
  });

  it("reads no template in what an artifact says", () => {
    const trace = join(role.root, "templated");
    const evil = `{{ lookup('ansible.builtin.pipe', 'touch ${trace}') }}`;
    const release = "1.0.0-20260101000000-aaaaaaaaaa";
    const deploy = (contents: Parameters<ServiceRole["pack"]>[1]) =>
      role.run({
        how: "deploy",
        variables: { service_artifact: role.pack(release, contents) },
      });
    const manifest = { service: evil, release: evil, architecture: evil };
    expect(() => deploy({ manifest, secrets: [evil] })).to.throw(
      "lookup('ansible.builtin.pipe'",
    );
    deploy({ env: { COLOUR: evil } });
    expect(role.variable(release, "COLOUR")).to.equal(evil);
    expect(existsSync(trace)).to.equal(false);
  });

  it("upgrades Serin to a newer version, and keeps one that is newer than its own", () => {
    const choose = (current: string, packed: string) => {
      const link = join(role.root, "current");
      if (!existsSync(link)) {
        mkdirSync(join(role.root, "releases", current));
        symlinkSync(`releases/${current}`, link);
      }
      return role.run({
        how: "choose",
        variables: {
          ...{ service_upgrades: true, __service_stays: true },
          service_artifact: role.pack(packed, {}),
        },
      });
    };
    const current = "0.10.0-aaaaaaaaaa";
    for (const [packed, chosen] of [
      ["0.11.0-rc.1-bbbbbbbbbb", "0.11.0-rc.1-bbbbbbbbbb"],
      ["0.9.3-bbbbbbbbbb", current],
    ] as const)
      expect(choose(current, packed), packed).to.include(`chosen: ${chosen}"`);
  });
});
