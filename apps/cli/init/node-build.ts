import { relative } from "node:path";
import type { Manifest } from "./node-manifest.js";
import type { Project } from "./project.js";

export interface PackageManager {
  name: "npm" | "pnpm" | "yarn";
  /** The file that tells it. */
  mark: string | undefined;
  install: string;
  /** Only what the service needs at run time. */
  installProduction: string;
  /** Removes the rest, and keeps what the build generated. */
  prune: string;
}

const NPM: PackageManager = {
  name: "npm",
  mark: undefined,
  install: "npm install",
  installProduction: "npm install --omit=dev",
  prune: "npm prune --omit=dev",
};
const MANAGERS: readonly PackageManager[] = [
  {
    ...NPM,
    mark: "package-lock.json",
    install: "npm ci",
    installProduction: "npm ci --omit=dev",
  },
  {
    name: "pnpm",
    mark: "pnpm-lock.yaml",
    install: "pnpm install --frozen-lockfile",
    installProduction: "pnpm install --frozen-lockfile --prod",
    prune: "pnpm prune --prod",
  },
  {
    name: "yarn",
    mark: ".yarnrc.yml",
    install: "yarn install --immutable",
    installProduction: "yarn workspaces focus --production",
    prune: "yarn workspaces focus --production",
  },
  {
    name: "yarn",
    mark: "yarn.lock",
    install: "yarn install --frozen-lockfile",
    installProduction: "yarn install --frozen-lockfile --production",
    prune: "yarn install --frozen-lockfile --production",
  },
];

/** The package manager whose lockfile is in the folder; else npm. */
export function findPackageManager(folder: Project): PackageManager {
  const isUsed = ({ mark }: PackageManager) =>
    mark !== undefined && folder.has(mark);
  return MANAGERS.find(isUsed) ?? NPM;
}

/** The command that leaves what production needs; undefined if the checkout is all of it. */
export function describeBuild(
  { dependencies, scripts }: Manifest,
  manager: PackageManager,
): string | undefined {
  const needsPackages = Object.keys(dependencies).length > 0;
  if (!("build" in scripts))
    return needsPackages ? manager.installProduction : undefined;
  const steps = [manager.install, `${manager.name} run build`];
  if (needsPackages) steps.push(manager.prune);
  // Only the next build would need it.
  if ("next" in dependencies) steps.push("rm -rf .next/cache");
  return steps.join(" && ");
}

/** The same for a package of a monorepo, whose packages lie in the root. */
export function describeWorkspaceBuild(
  manifest: Manifest,
  { project, root }: { project: Project; root: Project },
): string {
  const manager = findPackageManager(root);
  const folder = relative(root.directory, project.directory);
  const name = manifest.name ?? folder;
  const steps = [`cd ${relative(project.directory, root.directory)}`];
  if ("build" in manifest.scripts) {
    const build = {
      npm: `npm run build --workspace ${folder}`,
      pnpm: `pnpm --filter ${name}... run build`,
      yarn: `yarn workspace ${name} run build`,
    };
    steps.push(manager.install, build[manager.name]);
  }
  steps.push(
    manager.name === "npm"
      ? `npm ci --omit=dev --workspace ${folder}`
      : manager.installProduction,
  );
  // Files instead of links, which would lead out of the release.
  if (manager.name !== "pnpm")
    steps.push(
      `tar -ch --exclude=node_modules/.bin --exclude=node_modules/${name} node_modules | tar -x -C ${folder}`,
    );
  return steps.join(" && ");
}
