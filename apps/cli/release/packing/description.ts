import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ServiceFile } from "../../../../lib/service-file.js";
import type { Commit } from "../repository/commit.js";
import type { Architecture } from "./examine.js";

/** Writes `.serin/`, by which hosts know how to run the release. */
export function writeDescription(
  stage: string,
  release: {
    file: ServiceFile;
    commit: Commit;
    architecture: Architecture | undefined;
  },
): void {
  const { file, commit, architecture } = release;
  const folder = join(stage, ".serin");
  mkdirSync(join(folder, "hooks"), { recursive: true });
  const write = (name: string, text: string) =>
    writeFileSync(join(folder, name), `${text}\n`);
  const writeJson = (name: string, value: unknown) =>
    write(name, JSON.stringify(value, null, 2));
  writeJson("release.json", {
    service: file.service,
    ...commit,
    ...(architecture !== undefined && { architecture }),
  });
  write("run", file.run);
  writeJson("env", file.env.clear);
  writeJson("secrets", file.env.secret);
  const { path = null, timeoutMs, startMs } = file.health;
  writeJson("health", { path, timeoutMs, startMs });
  for (const [name, command] of Object.entries(file.hooks))
    if (command !== undefined) write(join("hooks", name), command);
}
