import js from "@eslint/js";
import tseslint from "typescript-eslint";

/** Forbids imports that match `group` in the files of `files`, with `message` as the reason. */
function forbid(files, group, message) {
  return {
    files,
    rules: {
      "@typescript-eslint/no-restricted-imports": [
        "error",
        { patterns: [{ group, message }] },
      ],
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

const programs = ["app", "proxy", "agent", "monitor", "launcher", "cli"];

export default tseslint.config(
  { ignores: [".build-*/", "dist/", "node_modules/", "coverage/"] },
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
  // Programs meet only in Redis: none imports another, and what they share does not know them.
  forbid(
    ["lib/**/*.ts"],
    ["**/apps/**", "**/test/**"],
    "lib/ is below the programs and never imports them",
  ),
  ...programs.map((program) =>
    forbid(
      [`apps/${program}/**/*.ts`],
      [
        ...programs
          .filter((other) => other !== program)
          .map((other) => `**/${other}/**`),
        "**/test/**",
      ],
      "programs meet only in Redis; move what two of them need to lib/",
    ),
  ),
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
