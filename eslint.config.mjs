import js from "@eslint/js";
import tseslint from "typescript-eslint";

/** Forbids imports that match any of `patterns` in the files of `files`. */
function forbid(files, patterns, ignores = []) {
  return {
    files,
    ignores,
    rules: {
      "@typescript-eslint/no-restricted-imports": ["error", { patterns }],
    },
  };
}

/** For plain JavaScript; TypeScript knows its own. */
const NODE_GLOBALS = [
  "AbortSignal",
  "Buffer",
  "URL",
  "clearInterval",
  "clearTimeout",
  "console",
  "fetch",
  "module",
  "performance",
  "process",
  "require",
  "setInterval",
  "setTimeout",
];

const WHOLE_ZOD = {
  selector: "ImportDeclaration[source.value='zod'] > ImportSpecifier",
  message: 'bundles all of zod: import * as z from "zod"',
};
const OWN_LOCATION = {
  selector: "MetaProperty[meta.name='import']",
  message:
    "a bundle lies where its main.ts does: only modules beside that may use their location",
};

const programs = ["app", "proxy", "agent", "monitor", "launcher", "cli"];

/** Programs meet only in Redis: none imports another. */
function otherPrograms(program) {
  const others = programs.filter((other) => other !== program);
  return {
    group: [...others.map((other) => `**/${other}/**`), "**/test/**"],
    message: "programs meet only in Redis; move what two of them need to lib/",
  };
}

/**
 * Which other rooms of its program a room may import; `.` is the program's own folder. The composition root, named after the
 * program, and what threads start with (`…-main.ts`) may import them all.
 */
const rooms = {
  cli: {
    commands: [
      ".",
      "commands/doctor",
      "commands/rollout",
      "hooks",
      "init",
      "line",
      "sources",
    ],
    "commands/doctor": [".", "sources"],
    "commands/rollout": [".", "sources"],
    hooks: ["."],
    init: ["."],
    line: [".", "hooks", "init", "release"],
    release: [
      ".",
      "commands",
      "commands/rollout",
      "release/packing",
      "release/playbooks",
      "release/repository",
      "release/rollout",
      "sources",
    ],
    "release/packing": [".", "release", "release/repository"],
    "release/playbooks": [".", "release"],
    "release/repository": ["."],
    "release/rollout": [
      ".",
      "commands",
      "commands/rollout",
      "release/playbooks",
      "sources",
    ],
    sources: ["."],
  },
  launcher: {
    processes: ["."],
    screen: [".", "processes"],
    source: [".", "processes"],
    steering: [".", "processes", "screen", "source"],
  },
  monitor: {
    alert: ["alert/channels", "alert/message"],
    "alert/channels": ["alert/message"],
    "alert/message": ["alert/channels"],
    api: [
      "alert",
      "alert/message",
      "control",
      "messages",
      "plan",
      "telemetry",
      "verdict",
    ],
    control: [
      ".",
      "alert",
      "leader",
      "rollout",
      "telemetry",
      "verdict",
      "verdict/evidence",
    ],
    leader: [],
    messages: [],
    page: ["messages", "page/charts"],
    "page/charts": ["messages"],
    plan: ["control", "messages", "verdict", "verdict/evidence"],
    rollout: ["alert", "control", "leader", "telemetry", "verdict"],
    telemetry: [".", "alert", "messages"],
    verdict: ["verdict/baseline", "verdict/evidence", "verdict/power"],
    "verdict/baseline": ["verdict/evidence"],
    "verdict/evidence": [],
    "verdict/power": ["verdict/baseline", "verdict/evidence"],
  },
  proxy: {
    ".": [
      ...["canary", "clients", "dealing", "engines", "exchange"],
      ...["http", "traffic"],
    ],
    canary: [],
    clients: ["dealing", "engines", "exchange", "http"],
    dealing: ["http"],
    engines: ["engines/direct", "engines/http-proxy", "http"],
    "engines/direct": ["http"],
    "engines/http-proxy": ["http"],
    exchange: ["dealing", "engines", "http", "traffic"],
    http: [],
    traffic: ["dealing"],
    workers: [".", "canary", "clients", "traffic"],
  },
};

/** For each room of a program, the rule that it imports no others than it may. */
function forbidOtherRooms(program) {
  const nameOf = (room) => room.split("/").at(-1);
  return Object.entries(rooms[program]).map(([room, allowed]) => {
    const allowedNames = allowed.map(nameOf);
    const isForbidden = (other) =>
      other !== room &&
      other !== "." &&
      !room.startsWith(`${other}/`) &&
      !allowed.includes(other);
    const others = Object.keys(rooms[program])
      .filter(isForbidden)
      .map(nameOf)
      // Of two rooms with one name, only one is beside a room that may import it.
      .filter((name) => !allowedNames.includes(name));
    const forbidden = [`(\\.\\.?/)+(${others.join("|")})/`];
    const up = "\\.\\./".repeat(room.split("/").length);
    if (!allowed.includes(".")) forbidden.push(`${up}[^/]+\\.js$`);
    const message = `${room} may import ${allowed.join(", ") || "no other room"}: see rooms in eslint.config.mjs`;
    return forbid(
      [`apps/${program}/${room === "." ? "" : `${room}/`}*.ts`],
      [otherPrograms(program), { regex: `^(${forbidden.join("|")})`, message }],
      [`apps/${program}/${program}.ts`, `apps/${program}/*-main.ts`],
    );
  });
}

export default tseslint.config(
  { ignores: [".build-*/", "**/dist/", "node_modules/", "coverage/"] },
  js.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [
      tseslint.configs.strictTypeChecked,
      tseslint.configs.stylisticTypeChecked,
    ],
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      eqeqeq: "error",
      "max-params": ["error", 4],
      complexity: ["error", 15],
      "max-lines-per-function": [
        "error",
        { max: 90, skipBlankLines: true, skipComments: true },
      ],
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-confusing-void-expression": [
        "error",
        { ignoreArrowShorthand: true },
      ],
    },
  },
  // What programs share does not know them.
  forbid(
    ["lib/**/*.ts"],
    [
      {
        group: ["**/apps/**", "**/test/**"],
        message: "lib/ is below the programs and never imports them",
      },
    ],
  ),
  ...programs.map((program) =>
    forbid([`apps/${program}/**/*.ts`], [otherPrograms(program)]),
  ),
  ...Object.keys(rooms).flatMap(forbidOtherRooms),
  {
    files: ["apps/**/*.ts", "lib/**/*.ts"],
    rules: { "no-restricted-syntax": ["error", WHOLE_ZOD] },
  },
  {
    files: ["apps/*/*/**/*.ts", "lib/**/*.ts"],
    ignores: ["apps/monitor/page/**", "lib/program/release.ts"],
    rules: { "no-restricted-syntax": ["error", WHOLE_ZOD, OWN_LOCATION] },
  },
  {
    files: ["test/**/*.ts", "bench/**/*.ts"],
    rules: {
      "max-lines-per-function": "off",
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-unused-expressions": "off",
    },
  },
  {
    files: ["**/*.mjs", "**/*.cjs"],
    languageOptions: {
      globals: Object.fromEntries(
        NODE_GLOBALS.map((name) => [name, "readonly"]),
      ),
    },
  },
);
