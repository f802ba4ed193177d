import { found, type Findings, type Found } from "./findings.js";
import {
  describeBuild,
  describeWorkspaceBuild,
  findPackageManager,
} from "./node-build.js";
import {
  findWorkspaceRoot,
  readManifest,
  type Manifest,
} from "./node-manifest.js";
import type { Project } from "./project.js";

const MANIFEST = "package.json";
const MAINS = ["server", "index", "app", "main", "src/server", "src/index"].map(
  (name) => `${name}.js`,
);
/** A shell's or a package manager's parts: such a script is more than one program. */
const COMPOUND = /[&|;]|^(npm|npx|pnpm|yarn|bun|pm2|run-[sp])\b/;
const FOR_DEVELOPMENT =
  /\b(nodemon|ts-node-dev|react-scripts start|(ng|nx) serve|(next|nuxt|vite) dev)\b|^vite$|--watch\b/;

const DEVELOPMENT_REMARK =
  "run is a development server: give the command for production";
const LOCKFILE_REMARK =
  "commit a lockfile, so that every build has the same packages";
const PNPM_REMARK =
  "the packages lie in the root of the workspace: bundle the service, or let build end with pnpm deploy and include its folder";

/** A service with a package.json. */
export function readNodeProject(project: Project): Findings {
  const manifest = readManifest(project);
  if (manifest === undefined) return {};
  const root = findWorkspaceRoot(project);
  const manager = findPackageManager(root ?? project);
  const build =
    root === undefined
      ? describeBuild(manifest, manager)
      : describeWorkspaceBuild(manifest, { project, root });
  // pnpm keeps a package's dependencies outside of its folder.
  const areOutside = root !== undefined && manager.name === "pnpm";
  const { name, dependencies, scripts } = manifest;
  const needsPackages = Object.keys(dependencies).length > 0;
  return {
    name: found(name, MANIFEST),
    run: findRun(project, manifest, manager.name),
    build: found(build, [MANIFEST, manager.mark].filter(Boolean).join(", ")),
    clear: { NODE_ENV: "production" },
    install: found(manager.install, MANIFEST),
    test: found(hasTest(scripts) ? `${manager.name} test` : "", MANIFEST),
    remarks: [
      ...(isForDevelopment(scripts) ? [DEVELOPMENT_REMARK] : []),
      ...(needsPackages && manager.mark === undefined ? [LOCKFILE_REMARK] : []),
      ...(needsPackages && areOutside ? [PNPM_REMARK] : []),
    ],
  };
}

type Scripts = Manifest["scripts"];

/** npm init writes a test that fails. */
function hasTest({ test }: Scripts): boolean {
  return test !== undefined && !test.includes("no test specified");
}

function isForDevelopment(scripts: Scripts): boolean {
  return FOR_DEVELOPMENT.test(scripts[startScriptOf(scripts) ?? ""] ?? "");
}

function findRun(
  project: Project,
  { scripts, dependencies, main }: Manifest,
  manager: string,
): Found | undefined {
  const name = startScriptOf(scripts);
  if (name !== undefined)
    return found(
      describeScript(name, scripts) ?? `${manager} run ${name}`,
      `${MANIFEST}: scripts.${name}`,
    );
  if ("next" in dependencies) return found("next start", MANIFEST);
  const file = [main, ...MAINS].find((it) => it && project.read(it));
  return file === undefined
    ? undefined
    : found(`node ${file}`, file === main ? `${MANIFEST}: main` : file);
}

function startScriptOf(scripts: Scripts): string | undefined {
  return ["start:prod", "start"].find((it) => it in scripts);
}

/** The script itself, because a signal to npm does not always reach the program; without a port of its own. */
function describeScript(name: string, scripts: Scripts): string | undefined {
  const parts = (scripts[name] ?? "").split("&&").map((it) => it.trim());
  // What comes before is the build.
  const last = "build" in scripts ? parts.slice(-1) : parts;
  const command = last
    .join(" && ")
    .replace(/^cross-env\s+/, "")
    .replace(/(^|\s)PORT=\S+\s+/, "$1")
    .replace(/(\s(?:-p|--port)[ =])\d+\b/, "$1$$PORT");
  return COMPOUND.test(command) ? undefined : command;
}
