import { findVariables, type VariablesFound } from "./environment-search.js";
import type { Findings, Found } from "./findings.js";
import { readNodeProject } from "./node-project.js";
import {
  readDockerfile,
  readGoProject,
  readStaticSite,
} from "./other-projects.js";
import { readPm2File, readProcfile } from "./process-files.js";
import type { Project } from "./project.js";
import { readPythonProject } from "./python-project.js";
import { findHealthPath, listObstacles } from "./source-search.js";

/** What a repository says of its service. */
export interface Survey {
  service: Found;
  run: Found | undefined;
  build: Found | undefined;
  health: Found | undefined;
  before: Found | undefined;
  variables: VariablesFound;
  /** Further variables that such a service has. */
  clear: Readonly<Record<string, string>>;
  install: Found | undefined;
  test: Found | undefined;
  remarks: readonly string[];
}

/** The first that knows how the service starts. */
const LANGUAGES = [readNodeProject, readGoProject, readPythonProject];

export function surveyProject(project: Project): Survey {
  const languages = LANGUAGES.map((read) => read(project));
  // In this order: the first that knows a field is believed.
  const findings: readonly Findings[] = [
    readProcfile(project),
    readPm2File(project),
    languages.find(({ run }) => run) ??
      languages.find(({ build }) => build) ??
      {},
    readDockerfile(project),
    readStaticSite(project),
  ];
  const first = <K extends keyof Findings>(field: K) =>
    findings.map((it) => it[field]).find((it) => it !== undefined);
  const clear = first("clear") ?? {};
  const run = runByModule(first("run"), clear);
  const health = first("health") ?? findHealthPath(project);
  const name = first("name") ?? { value: project.name, source: "the folder" };
  return {
    service: { ...name, value: toServiceName(name.value) },
    run,
    build: first("build"),
    health,
    before: first("before"),
    install: first("install"),
    test: first("test"),
    variables: findVariables(project),
    clear,
    remarks: [
      ...findings.flatMap(({ remarks = [] }) => remarks),
      ...(run ? listObstacles(project, { run: run.value, health }) : []),
    ],
  };
}

/** Packages that lie in a folder of the release have no program on the PATH. */
function runByModule(
  run: Found | undefined,
  { PYTHONPATH }: Readonly<Record<string, string>>,
): Found | undefined {
  if (run === undefined || PYTHONPATH === undefined) return run;
  const program = /^(?=(gunicorn|uvicorn|hypercorn|daphne|flask) )/;
  return { ...run, value: run.value.replace(program, "python3 -m ") };
}

/** A name as serin.yml takes it: units and users are named after it. */
function toServiceName(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/^@[^/]*\//, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+/, "");
  const free = /^(serin|redis|root|)$/.test(plain) ? `${plain}-service` : plain;
  const whole = free.replace(/^-/, "");
  // Drops whole words rather than cutting one.
  const words = /^.{1,20}(?=-|$)/.exec(whole)?.[0] ?? whole.slice(0, 20);
  return words.replace(/-$/, "");
}
