import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { findServiceFile, readServiceFile } from "../../../lib/service-file.js";
import { toPlain } from "../../../lib/wording/plain-text.js";
import { CliError, EXIT, type ExitStatus } from "../exit-status.js";
import { layOutFacts } from "../table.js";
import { listPipelineTasks, renderPipeline } from "./pipelines.js";
import { Project } from "./project.js";
import { renderServiceFile } from "./render-service-file.js";
import { listFacts, listTasks } from "./report.js";
import { surveyProject } from "./survey.js";

const SCHEMA = "node_modules/serin/docs/serin.schema.json";

export interface InitOptions {
  folder: string;
  jenkins?: boolean;
  github?: boolean;
}

interface InitContext {
  cwd: string;
  /** Prints a line. */
  say: (line: string) => void;
}

/**
 * `serin init`: writes a serin.yml with what the folder says of its service, and the pipelines that are asked for. With a
 * pipeline, serin.yml may exist.
 *
 * @throws CliError if a file exists; nothing is written then
 */
export function initService(
  { cwd, say }: InitContext,
  options: InitOptions,
): ExitStatus {
  const folder = resolve(cwd, options.folder);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new CliError(EXIT.usage, `${folder} is no folder`);
  const project = new Project(folder);
  const survey = surveyProject(project);
  const wanted = (["jenkins", "github"] as const).filter((it) => options[it]);
  const path = findServiceFile(folder);
  const isNew = wanted.length === 0 || !existsSync(path);
  const service = isNew ? survey.service.value : readServiceFile(path).service;
  const text = renderServiceFile(survey, findSchema(project));
  const files = [
    ...(isNew ? [{ path, text }] : []),
    ...wanted.map((name) => renderPipeline(name, { project, survey, service })),
  ];
  writeNewFiles(files);
  for (const file of files) say(`wrote ${relative(cwd, file.path)}`);
  if (isNew)
    for (const line of layOutFacts(listFacts(survey)))
      say(toPlain(`  ${line}`));
  const tasks = [
    ...(isNew ? listTasks(survey) : []),
    ...wanted.flatMap((name) => listPipelineTasks(name, { project, survey })),
  ];
  say(["", "Left to do:", ...tasks.map((it) => toPlain(`- ${it}`))].join("\n"));
  if (isNew)
    say(
      `\nNext: ${folder === cwd ? "" : `cd ${relative(cwd, folder)} && `}npx serin dev`,
    );
  return EXIT.ok;
}

/** All or none. */
function writeNewFiles(files: readonly { path: string; text: string }[]): void {
  const existing = files.find(({ path }) => existsSync(path));
  if (existing !== undefined)
    throw new CliError(
      EXIT.problem,
      `${existing.path} exists, and nothing was changed: edit it, or remove it first`,
    );
  for (const { path, text } of files) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { flag: "wx" });
  }
}

/** Where npm installed Serin: in this folder, or in the root of a monorepo. */
function findSchema(project: Project): string {
  const installed = project.has(SCHEMA)
    ? project
    : project.findAbove((folder) => folder.has(SCHEMA));
  const { directory } = installed ?? project;
  return join(relative(project.directory, directory), SCHEMA);
}
