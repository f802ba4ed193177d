import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onCleanup } from "../cleanup.js";
import { createTempDirectory } from "../temp-directory.js";
import { startPrivateRedis } from "./private-redis.js";
import { freshKeys } from "./redis-server.js";
import { openTestRedis, type TestRedis } from "./test-redis.js";

const ROLE = new URL("../../../../ansible/roles/redis/", import.meta.url);
const PASSWORD = "only-in-this-test";

const read = (file: string) => readFileSync(new URL(file, ROLE), "utf8");

/** A Redis with the users and the settings that the role redis gives it on a host, for the services `serin` and `shop`. */
export interface HostRedis {
  /** As a user with all rights. */
  admin: TestRedis;
  adminUrl: string;
  /** Of `serin`, such as `serin-app`. */
  users: string[];
  /** REDIS_URL of the user `<service>-<program>`. */
  urlOf: (program: string, service?: string) => string;
}

export async function startHostRedis(): Promise<HostRedis> {
  const keys = freshKeys();
  const acl = [
    "user default reset off ~* &* +@all",
    "user admin on nopass ~* &* +@all",
    renderAcl("serin", keys.prefix),
    renderAcl("shop", "shop:"),
  ].join("\n");
  const aclFile = join(createTempDirectory(), "users.acl");
  writeFileSync(aclFile, `${acl}\n`);
  const threshold = /busy-reply-threshold (\d+)/.exec(
    read("templates/serin.conf.j2"),
  );
  const { url, stop } = await startPrivateRedis({
    args: [
      ...["--aclfile", aclFile],
      ...["--busy-reply-threshold", threshold![1]!],
    ],
  });
  onCleanup(stop);
  const urlOf = (user: string, password = PASSWORD) =>
    url.replace("//", `//${user}:${password}@`);
  const adminUrl = urlOf("admin", "any");
  return {
    admin: openTestRedis({ url: adminUrl, keys }),
    adminUrl,
    users: [...acl.matchAll(/^user (serin-\w+)/gm)].map(([, user]) => user!),
    urlOf: (program, service = "serin") => urlOf(`${service}-${program}`),
  };
}

/** The service's file that the role writes. It parses only the YAML and Jinja that the role uses there. */
function renderAcl(service: string, keyPrefix: string): string {
  const [, base] = /-\{\{ name \}\} (reset on .+?) \{% for selector/.exec(
    read("templates/users.acl.j2"),
  )!;
  const selectors = parseLists(read("vars/main.yml"));
  const users = read("defaults/main.yml").matchAll(
    /^ {2}(\w+): "\{\{ (.*) \}\}"$/gm,
  );
  const lines = [...users].map(([, program, sum]) =>
    [
      `user ${service}-${program!} ${base!}`,
      ...sum!
        .split(" + ")
        .flatMap((name) => selectors.get(name)!)
        .map((selector) => `(${selector})`),
    ].join(" "),
  );
  return lines
    .join("\n")
    .replaceAll(/#\{\{ redis_passwords\[name\] .+? \}\}/g, `>${PASSWORD}`)
    .replaceAll("{{ redis_key_prefix }}", keyPrefix)
    .replaceAll("{{ redis_flag_name }}", "feature");
}

/** `name:` with list items in quotes or folded over several lines. */
function parseLists(yaml: string): Map<string, string[]> {
  const blocks = yaml.replace(/^ *#.*\n/gm, "").split(/^(?=\w)/m);
  return new Map(
    blocks.map((block) => {
      const [name = "", ...items] = block.split(/:\n {2}- |\n {2}- /);
      const selectors = items.map((item) =>
        item
          .replace(/^>-\n/, "")
          .replace(/\s+/g, " ")
          .trim()
          .replace(/^"(.*)"$/, "$1"),
      );
      return [name, selectors];
    }),
  );
}
