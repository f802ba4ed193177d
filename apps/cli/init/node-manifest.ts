import * as z from "zod";
import type { Project } from "./project.js";

const text = z.string().optional().catch(undefined);
const texts = z.record(z.string(), z.string()).catch({});
const manifestSchema = z.object({
  name: text,
  main: text,
  scripts: texts,
  dependencies: texts,
  workspaces: z.unknown().optional(),
});

/** What a package.json says. A malformed field counts as absent. */
export type Manifest = z.infer<typeof manifestSchema>;

export function readManifest(project: Project): Manifest | undefined {
  const parsed = manifestSchema.safeParse(project.readJson("package.json"));
  return parsed.success ? parsed.data : undefined;
}

/** The root of the monorepo that the folder belongs to. */
export function findWorkspaceRoot(project: Project): Project | undefined {
  return project.findAbove(
    (folder) =>
      folder.has("pnpm-workspace.yaml") ||
      readManifest(folder)?.workspaces !== undefined,
  );
}
