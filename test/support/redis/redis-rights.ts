import { readFileSync } from "node:fs";
import type { Redis } from "ioredis";

const ROLE = new URL("../../../../ansible/roles/redis/", import.meta.url);

function read(file: string): string {
  return readFileSync(new URL(file, ROLE), "utf8");
}

/** The selectors by name in the role's variables. It parses only the YAML that these files use. */
function readLists(yaml: string): Map<string, string[]> {
  const lists = new Map<string, string[]>();
  let list: string[] = [];
  for (const line of yaml.split("\n")) {
    const [, name] = /^(\w+):$/.exec(line) ?? [];
    const [, item] = /^ {2}- (?:"(.*)"|>-)$/.exec(line) ?? [];
    const isFolded = /^ {4}\S/.test(line);
    if (name !== undefined) lists.set(name, (list = []));
    else if (/^ {2}- /.test(line)) list.push(item ?? "");
    else if (isFolded) list.push(`${list.pop() ?? ""} ${line.trim()}`.trim());
  }
  return lists;
}

/**
 * Creates the users that the role creates on a host, `serin-<program>`, all with this password.
 *
 * @returns the users' names
 */
export async function createHostUsers(
  redis: Redis,
  options: { keyPrefix: string; flagName: string; password: string },
): Promise<string[]> {
  const [, base] =
    /\}\} (-@all .*?) \{% for/.exec(read("templates/users.acl.j2")) ?? [];
  if (base === undefined)
    throw new Error("users.acl.j2 has an unexpected form");
  const fill = (selector: string) =>
    selector
      .replaceAll("{{ redis_key_prefix }}", options.keyPrefix)
      .replaceAll("{{ redis_flag_name }}", options.flagName);
  const lists = readLists(read("vars/main.yml"));
  const rights = read("defaults/main.yml").matchAll(
    /^ {2}(\w+): "\{\{ (.*) \}\}"$/gm,
  );
  const users: string[] = [];
  for (const [, program = "", sum = ""] of rights) {
    const selectors = sum
      .split(" + ")
      .flatMap((name) => lists.get(name) ?? [])
      .map((selector) => `(${fill(selector)})`);
    if (selectors.length === 0) throw new Error(`no rights of ${program}`);
    const user = `serin-${program}`;
    const password = `>${options.password}`;
    await redis.call("ACL", [
      "SETUSER",
      user,
      "reset",
      "on",
      password,
      ...base.split(" "),
      ...selectors,
    ]);
    users.push(user);
  }
  return users;
}
