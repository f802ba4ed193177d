import { expect } from "chai";
import { parse } from "yaml";
import { completeVault } from "../../../apps/cli/release/vault-content.js";

const SERVICE = {
  env: { clear: {}, secret: ["DATABASE_URL", "COOKIE_SECRET"] },
  redis: { host: "10.0.0.14" },
};

interface Secrets {
  serin_admin_token: string;
  serin_redis_passwords: Record<string, string>;
  serin_service_secrets: Record<string, string>;
  serin_redis_url?: string;
}

const read = (text: string) =>
  parse(text, { version: "1.1", logLevel: "error" }) as Secrets;

describe("the secrets of a service", () => {
  it("are random for Serin's programs, and of the environment for the service", () => {
    const { text, unset } = completeVault(undefined, SERVICE, {
      DATABASE_URL: "postgres://shop:x@db/shop",
    });
    const vault = read(text);
    expect(vault.serin_service_secrets).to.deep.equal({
      DATABASE_URL: "postgres://shop:x@db/shop",
      COOKIE_SECRET: "CHANGE_ME",
    });
    expect(unset).to.deep.equal(["COOKIE_SECRET"]);
    expect(Object.keys(vault.serin_redis_passwords)).to.deep.equal([
      ...["app", "agent", "proxy", "monitor", "operator", "deploy"],
    ]);
    const random = [
      vault.serin_admin_token,
      ...Object.values(vault.serin_redis_passwords),
    ];
    for (const secret of random) expect(secret).to.match(/^[0-9a-f]{48}$/);
    expect(new Set(random).size).to.equal(7);
  });

  it("keep their values, comments and additions of a person", () => {
    const { text: old } = completeVault(undefined, SERVICE, {
      DATABASE_URL: "a",
    });
    const edited = `${old}# of the mail server\nserin_smtp_url: smtps://u:p@mail\n`;
    const { text, changed, unset } = completeVault(edited, SERVICE, {
      DATABASE_URL: "b",
      COOKIE_SECRET: "c",
    });
    expect(changed).to.deep.equal(["COOKIE_SECRET"]);
    expect(unset).to.deep.equal([]);
    expect(text).to.equal(edited.replace('"CHANGE_ME"', '"c"'));
  });

  it("gain a place when serin.yml names another", () => {
    const { text: old } = completeVault(undefined, SERVICE, {});
    const { changed, unset } = completeVault(
      old,
      { ...SERVICE, env: { clear: {}, secret: ["DATABASE_URL", "KEY"] } },
      {},
    );
    expect(changed).to.deep.equal(["KEY"]);
    expect(unset).to.deep.equal(["DATABASE_URL", "KEY"]);
  });

  for (const value of [
    "-----BEGIN KEY-----\nab\"c'\\d$e\n\n-----END KEY-----\n",
    "off",
    "12:30",
    " { [ # ",
    "{{ lookup('env', 'HOME') }} {% x %}",
    "ü€\t",
  ])
    it(`may be ${JSON.stringify(value)}`, () => {
      const { text } = completeVault(undefined, SERVICE, {
        DATABASE_URL: value,
      });
      expect(read(text).serin_service_secrets.DATABASE_URL).to.equal(value);
    });

  it("are no templates for Ansible", () => {
    const { text } = completeVault(undefined, SERVICE, {
      DATABASE_URL: "{{ x }}",
    });
    expect(text).to.contain('DATABASE_URL: !unsafe "{{ x }}"');
  });

  it("hold the URL of a Redis of one's own instead of passwords", () => {
    const own = { ...SERVICE, redis: { url: "redis://db:6379" } };
    const { serin_redis_passwords, serin_redis_url } = read(
      completeVault(undefined, own, {}).text,
    );
    expect(serin_redis_passwords).to.equal(undefined);
    expect(serin_redis_url).to.equal("redis://db:6379");
    const SERIN_REDIS_URL = "redis://shop:secret@db:6379";
    const { text } = completeVault(undefined, own, { SERIN_REDIS_URL });
    expect(read(text).serin_redis_url).to.equal(SERIN_REDIS_URL);
  });
});
