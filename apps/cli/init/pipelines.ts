import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { packageRoot } from "../../../lib/program/release.js";
import type { Project } from "./project.js";
import type { Survey } from "./survey.js";

const PIPELINES = {
  jenkins: { template: "jenkins/Jenkinsfile.service", path: "Jenkinsfile" },
  github: {
    template: "jenkins/github-release.yml",
    path: ".github/workflows/release.yml",
  },
} as const;

type Pipeline = keyof typeof PIPELINES;

/** For a service that npm does not install. */
const INSTALL_SERIN = "npm install --no-save serin";

/** The file of a pipeline, from its template in Serin's package. */
export function renderPipeline(
  name: Pipeline,
  of: { project: Project; survey: Survey; service: string },
): { path: string; text: string } {
  const { template, path } = PIPELINES[name];
  const { install, test } = of.survey;
  const text = readFileSync(join(packageRoot(), template), "utf8")
    .replaceAll("@SERVICE@", of.service)
    .replaceAll("@INSTALL@", install?.value ?? INSTALL_SERIN)
    .replaceAll("@TEST@", test?.value ?? "true");
  return { path: join(of.project.findRepository().directory, path), text };
}

/** What a person has to do before the pipeline works. */
export function listPipelineTasks(
  name: Pipeline,
  { project, survey }: { project: Project; survey: Survey },
): string[] {
  const { path } = PIPELINES[name];
  const root = project.findRepository().directory;
  const folder = relative(root, project.directory);
  return [
    `${path}: the credentials that its first lines name`,
    ...(survey.test
      ? []
      : [`${path}: its step Test runs nothing; give the command`]),
    ...(folder === "" ? [] : [`${path}: let its steps run in ${folder}`]),
  ];
}
