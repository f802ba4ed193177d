export const ABOUT =
  "Shows and controls a canary release. The commands flag, rollout, events and why need only Redis.";

const GROUPS = {
  "Your service:": ["init", "dev", "setup", "release", "rollback"],
  "The canary:": ["status", "watch", "why", "rollout", "flag"],
  "Looking:": ["events", "releases", "plan", "logs", "open", "doctor"],
};

/** The heading of a command in the help. */
export function groupOf(command: string): string {
  const found = Object.entries(GROUPS).find(([, names]) =>
    names.includes(command),
  );
  return found?.[0] ?? (command.includes(" ") ? "Commands:" : "Other:");
}

/** What people type for a command: words of other tools, and short forms. */
const MEANT: Readonly<Record<string, readonly string[]>> = {
  "flag off": ["off", "stop", "disable", "halt"],
  "flag on": ["on", "enable"],
  "flag get": ["get"],
  "flag toggle": ["toggle"],
  "rollout promote": ["promote", "next"],
  "rollout pause": ["pause"],
  "rollout resume": ["resume", "continue"],
  "rollout abort": ["abort", "cancel"],
  "rollout retry": ["retry"],
  "rollout start": ["start"],
  "rollout wait": ["wait", "follow"],
  "rollout status": ["steps"],
  release: ["deploy", "ship", "publish"],
  releases: ["history", "audit", "deployments", "details"],
  rollback: ["undo", "revert"],
  logs: ["log", "journal", "tail"],
  open: ["dashboard", "ui", "url"],
  doctor: ["check", "health", "diagnose"],
  "hooks install": ["install"],
  status: ["state", "info", "ps"],
};

/** Commander's error, with the command that an unknown word stands for: `(Did you mean flag off?)`. */
export function suggestCommand(error: string): string {
  const [, word = ""] = /^error: unknown command '(.*)'/.exec(error) ?? [];
  const [meant] =
    Object.entries(MEANT).find(([, words]) => words.includes(word)) ?? [];
  if (meant === undefined) return error;
  return `${error.split("\n", 1).join("")}\n(Did you mean ${meant}?)\n`;
}

/** By command. */
export const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  init: ["serin init", "serin init packages/shop --jenkins"],
  dev: [
    "serin dev",
    "serin dev --prod v1.4.0 --watch",
    "serin dev --canary slow",
  ],
  status: ["serin status", "serin status --json | jq .sides.canary.p95Ms"],
  watch: ["serin watch", "serin watch | tee canary.log"],
  flag: ["serin flag get", 'serin flag off --reason "looking into it"'],
  "flag get": [
    "serin flag get",
    'test "$(serin flag get)" = on && echo "the canary is allowed"',
  ],
  "flag on": [
    'serin flag on --reason "fixed in 1.4.2"',
    "serin flag on --flag new-checkout",
  ],
  "flag off": ['serin flag off --reason "looking into it"'],
  "flag toggle": ["serin flag toggle"],
  rollout: [
    "serin rollout status",
    "serin rollout promote",
    'serin rollout abort --reason "checkout is slow"',
  ],
  "rollout start": [
    "serin rollout start",
    "serin rollout start --candidate 1.4.2",
  ],
  "rollout status": [
    "serin rollout status",
    "serin rollout status --json | jq .phase",
  ],
  "rollout promote": ["serin rollout promote", "serin rollout promote --full"],
  "rollout pause": ['serin rollout pause --reason "looking into it"'],
  "rollout resume": ["serin rollout resume"],
  "rollout abort": ['serin rollout abort --reason "checkout is slow"'],
  "rollout retry": ['serin rollout retry --reason "it was the database"'],
  "rollout check": ["serin rollout check"],
  "rollout wait": ["serin rollout wait --until Promoting --timeout 60"],
  "rollout history": [
    "serin rollout history",
    "serin rollout history --json | jq .[0].phase",
  ],
  events: [
    "serin events --limit 50",
    "serin events --since 1h",
    "serin events --follow --kind flip",
    "serin events --json | jq -r .reason",
  ],
  releases: ["serin releases", "serin releases --json | jq .[0].release"],
  logs: ["serin logs 10.0.0.13", "sudo serin logs --follow"],
  plan: ["serin plan", "serin plan --minutes 30 --weight 5 7.5"],
  open: ["serin open"],
  version: ["serin version"],
  why: [
    "serin why",
    "serin why 14:03:09",
    "serin why --json | jq .flip.data.rule",
  ],
  doctor: [
    "serin doctor || echo needs a look",
    "serin doctor --send-test-mail",
  ],
  "hooks install": [
    "serin hooks install --jenkins-url http://ci:8080",
    "serin hooks install --repository-url /srv/shop.git --push-remote deploy",
  ],
  setup: ["serin setup --check", "serin setup"],
  release: ["serin release", "serin release --wait 30 1a2b3c4"],
  rollback: ["serin rollback", "serin rollback --canary"],
  admit: ["serin admit", "serin admit --force 1a2b3c4"],
  reject: ["serin reject", "serin reject 1a2b3c4"],
  package: ["serin package", "serin package 1a2b3c4", "serin package --serin"],
  inventory: [
    "serin inventory --list | jq .prod.hosts",
    "ansible -i node_modules/serin/ansible/inventory/serin prod -m ping",
  ],
  completion: [
    'eval "$(serin completion bash)"',
    'serin completion zsh > "${fpath[1]}/_serin"',
    "serin completion fish > ~/.config/fish/completions/serin.fish",
  ],
};

export const AFTERWORD = `
Settings are environment variables:
  REDIS_URL    Redis, with user and password (redis://127.0.0.1:6379)
  KEY_PREFIX   prefix of all keys (serin:)
  FLAG_NAME    the flag (feature)
  MONITOR_URL  the monitor (http://127.0.0.1:8090)
  ADMIN_TOKEN  the monitor's token, for --send-test-mail
  NO_COLOR     no colours

Exit status: 0 all is well, 1 something is wrong or failed (a stopped canary
too; status ignores a stop by a person), 2 invalid command line or setting, or a
machine that cannot do it, 3 Redis, the monitor or a host does not answer,
4 refused, 5 too little is known of the canary to decide.

Examples:
  serin status
  serin why
  serin flag off --reason "looking into it"`;
