import { found, type Findings, type Found } from "./findings.js";
import type { Project } from "./project.js";

const APPLICATION =
  /^(\w+)(?:\s*:\s*\w+)?\s*=\s*(?:\w+\.)?(FastAPI|Starlette|Litestar|Quart|Flask)\(/m;
const PROGRAMS = ["main.py", "app.py", "server.py"];
/** Relative, so that it works wherever the release lies. */
const PACKAGES = "vendor";

/** A Python service with a requirements.txt or pyproject.toml. */
export function readPythonProject(project: Project): Findings {
  const file = project.readFirst(["requirements.txt", "pyproject.toml"]);
  if (file === undefined) return {};
  const declared = [file.text, project.read("pyproject.toml")].join("\n");
  const hasPackages =
    file.path === "pyproject.toml" || /^[A-Za-z]/m.test(file.text);
  const what = file.path === "pyproject.toml" ? "." : `-r ${file.path}`;
  const run = findRun(project, declared);
  const isDevelopment = / (flask|manage\.py) /.test(run?.value ?? "");
  return {
    name: found(/^name\s*=\s*"([^"]+)"/m.exec(declared)?.[1], "pyproject.toml"),
    run,
    ...(hasPackages && {
      build: found(
        `python3 -m pip install --target ${PACKAGES} ${what}`,
        file.path,
      ),
      clear: { PYTHONPATH: PACKAGES },
    }),
    test: found(
      /\bpytest\b/.test(declared) ? "python3 -m pytest" : undefined,
      file.path,
    ),
    remarks: isDevelopment
      ? [
          `run is a development server: add gunicorn to ${file.path} and run \`serin init\` again, or change run`,
        ]
      : [],
  };
}

function findRun(project: Project, declared: string): Found | undefined {
  const uses = (name: string) =>
    new RegExp(`\\b${name}\\b`, "i").test(declared);
  const wsgi = project.files().find((path) => /(^|\/)wsgi\.py$/.test(path));
  if (project.has("manage.py"))
    return uses("gunicorn") && wsgi !== undefined
      ? found(gunicorn(toModule(wsgi)), wsgi)
      : found(
          "python3 manage.py runserver $HOST:$PORT --noreload",
          "manage.py",
        );
  for (const { path, text } of project.sources()) {
    const [, variable, kind] = APPLICATION.exec(text) ?? [];
    if (variable === undefined || !path.endsWith(".py")) continue;
    const application = `${toModule(path)}:${variable}`;
    if (kind !== "Flask")
      return found(
        `python3 -m uvicorn ${application} --host $HOST --port $PORT`,
        path,
      );
    return uses("gunicorn")
      ? found(gunicorn(application), path)
      : found(
          `python3 -m flask --app ${application} run --host $HOST --port $PORT`,
          path,
        );
  }
  const program = PROGRAMS.find((it) => project.has(it));
  return program === undefined
    ? undefined
    : found(`python3 ${program}`, program);
}

function gunicorn(application: string): string {
  return `python3 -m gunicorn --bind $HOST:$PORT ${application}`;
}

function toModule(path: string): string {
  return path.replace(/\.py$/, "").replaceAll("/", ".");
}
