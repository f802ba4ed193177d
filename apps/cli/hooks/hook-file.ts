import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { CliError, EXIT } from "../exit-status.js";

const SHEBANG = "#!/bin/sh\n";
const SCRIPT = '"$(git rev-parse --git-common-dir)/serin/post-commit"';
const BLOCK = `# serin: begin (serin hooks uninstall removes this)
[ ! -x ${SCRIPT} ] || ${SCRIPT}
# serin: end
`;
const ANY_BLOCK = /^# serin: begin[^]*?^# serin: end\n/m;
const SHELL = /^#!.*\b(?:ba|da|k|z|a)?sh\b/;

/**
 * Makes a post-commit hook call Serin's script, besides what it does, unless it is that script.
 *
 * @throws CliError if it is no shell script
 */
export function addBlock(path: string, script: string): void {
  const hook = read(path).replace(ANY_BLOCK, "");
  if (hook === script) return;
  const [shebang] = /^#!.*\n/.exec(hook) ?? [""];
  if (shebang !== "" && !SHELL.test(shebang))
    throw new CliError(
      EXIT.problem,
      `${path} is no shell script: call ${SCRIPT} in it`,
    );
  // First, because the hook may end itself. The script returns at once.
  const start = hook === "" ? SHEBANG : shebang;
  write(path, `${start}${BLOCK}${hook.slice(shebang.length)}`);
}

/** Removes the block, and the hook if nothing else is in it. */
export function removeBlock(path: string): void {
  const hook = read(path);
  const rest = hook.replace(ANY_BLOCK, "");
  if (rest === SHEBANG) rmSync(path);
  else if (rest !== hook) write(path, rest);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (err) {
    if (err instanceof Error && "code" in err && err.code === "ENOENT")
      return "";
    throw err;
  }
}

/** A new hook can be executed; an existing one keeps its mode. */
function write(path: string, content: string): void {
  writeFileSync(path, content, { mode: 0o755 });
}
