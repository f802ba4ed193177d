/**
 * Lints the staged content of files and checks its format, ignoring the working tree. Called by the pre-commit hook.
 */
import { execFileSync } from "node:child_process";
import { ESLint } from "eslint";
import prettier from "prettier";

const LINTED = /\.(ts|mjs|cjs|js)$/;

const git = (...args) =>
  execFileSync("git", args, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });

async function isFormatted(path, text) {
  const { ignored, inferredParser } = await prettier.getFileInfo(path, {
    ignorePath: [".gitignore", ".prettierignore"],
  });
  if (ignored || inferredParser === null) return true;
  const options = await prettier.resolveConfig(path, { editorconfig: true });
  return prettier.check(text, { ...options, filepath: path });
}

const staged = git(
  ...["diff", "--cached", "--name-only", "-z", "--diff-filter=ACMR"],
)
  .split("\0")
  .filter((path) => path !== "");
const eslint = new ESLint({ warnIgnored: false });
const results = [];
const unformatted = [];
for (const path of staged) {
  const text = git("show", `:${path}`);
  if (LINTED.test(path))
    results.push(...(await eslint.lintText(text, { filePath: path })));
  if (!(await isFormatted(path, text))) unformatted.push(path);
}

const formatter = await eslint.loadFormatter("stylish");
const report = await formatter.format(results);
if (report !== "") console.error(report);
if (unformatted.length > 0)
  console.error(
    `not formatted: ${unformatted.join(", ")}\nRun npx prettier --write and stage the files again.`,
  );
if (unformatted.length > 0 || results.some(({ errorCount }) => errorCount > 0))
  process.exitCode = 1;
