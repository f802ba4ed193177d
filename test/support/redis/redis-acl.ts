import { readFileSync } from "node:fs";

const ROLE = new URL("../../../../ansible/roles/redis/", import.meta.url);

/**
 * The line of users.acl that the role redis writes for a user with this password. It parses only the YAML and Jinja that the
 * role uses there.
 */
export function renderUser(
  name: string,
  password: string,
  options: { keyPrefix: string; flagName: string },
): string {
  const read = (path: string) => readFileSync(new URL(path, ROLE), "utf8");
  const rights = parseLists(read("vars/main.yml"));
  const [, sum = ""] =
    new RegExp(`^ {2}${name}: "\\{\\{ (.+) \\}\\}"$`, "m").exec(
      read("defaults/main.yml"),
    ) ?? [];
  const selectors = sum.split(" + ").flatMap((list) => rights.get(list) ?? []);
  if (selectors.length === 0) throw new Error(`no rights of ${name} found`);
  const [, base] =
    /^user serin-\{\{ name \}\} (reset on .+?) \{% for selector/m.exec(
      read("templates/users.acl.j2"),
    ) ?? [];
  if (base === undefined) throw new Error("no line for a user found");
  const line = [base, ...selectors.map((selector) => `(${selector})`)].join(
    " ",
  );
  return `user serin-${name} ${line}`
    .replace(/#\{\{ redis_passwords\[name\] .+? \}\}/, `>${password}`)
    .replaceAll("{{ redis_key_prefix }}", options.keyPrefix)
    .replaceAll("{{ redis_flag_name }}", options.flagName);
}

/** `name:` with list items in quotes or folded over several lines. */
function parseLists(yaml: string): Map<string, string[]> {
  const lists = new Map<string, string[]>();
  for (const block of yaml.split(/^(?=\w)/m)) {
    const [, name, body = ""] = /^(\w+):\n([^]*)$/.exec(block) ?? [];
    if (name === undefined) continue;
    const items = body.split(/^ {2}- /m).slice(1);
    lists.set(
      name,
      items.map((item) =>
        item
          .replace(/^ *#.*$/gm, "")
          .replace(/^>-\n/, "")
          .replace(/\s+/g, " ")
          .trim()
          .replace(/^"(.*)"$/, "$1"),
      ),
    );
  }
  return lists;
}
