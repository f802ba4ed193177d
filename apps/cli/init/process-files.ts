import { found, type Findings } from "./findings.js";
import type { Project } from "./project.js";

/** Heroku's: a line for each kind of process. */
export function readProcfile(project: Project): Findings {
  const text = project.read("Procfile");
  if (text === undefined) return {};
  const commandOf = (process: string) =>
    new RegExp(`^${process}:\\s*(\\S.*)$`, "m").exec(text)?.[1]?.trim();
  return {
    run: found(commandOf("web"), "Procfile: web"),
    before: found(commandOf("release"), "Procfile: release"),
  };
}

const ECOSYSTEM_FILES = ["js", "cjs", "mjs", "json"]
  .map((ending) => `ecosystem.config.${ending}`)
  .concat("pm2.json", "process.json");

/** PM2's. It is searched as text, because a program would have to be run. Its first app counts. */
export function readPm2File(project: Project): Findings {
  const file = project.readFirst(ECOSYSTEM_FILES);
  if (file === undefined) return {};
  const valueOf = (field: string) =>
    new RegExp(`\\b${field}["']?\\s*:\\s*(["'\`])(.+?)\\1`).exec(
      file.text,
    )?.[2];
  const script = valueOf("script");
  return {
    name: found(valueOf("name"), `${file.path}: name`),
    run: found(
      script &&
        describeCommand(script, valueOf("interpreter"), valueOf("args")),
      `${file.path}: script`,
    ),
  };
}

function describeCommand(
  script: string,
  interpreter: string | undefined,
  args: string | undefined,
): string {
  const path = script.replace(/^\.\//, "");
  const program = interpreter ?? (/\.[cm]?js$/.test(path) ? "node" : undefined);
  if (path === "npm" && args === "start") return "npm start";
  return [
    program === "none" ? undefined : program,
    program ? path : script,
    args,
  ]
    .filter((it) => it !== undefined)
    .join(" ");
}
