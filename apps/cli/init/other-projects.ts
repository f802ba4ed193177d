import { basename, dirname } from "node:path";
import { parseJson } from "../../../lib/redis/stream-entry.js";
import { found, type Findings } from "./findings.js";
import { readManifest } from "./node-manifest.js";
import type { Project } from "./project.js";

/** A Go module: its main package in the folder itself or below cmd/. */
export function readGoProject(project: Project): Findings {
  const module = /^module\s+(\S+)/m.exec(project.read("go.mod") ?? "")?.[1];
  if (module === undefined) return {};
  const main = project
    .sources()
    .find(
      ({ path, text }) =>
        /^([^/]+|cmd\/.+)\.go$/.test(path) && /^package main$/m.test(text),
    );
  const folder = main === undefined ? "." : dirname(main.path);
  const name = folder === "." ? basename(module) : basename(folder);
  return {
    name: found(basename(module), "go.mod"),
    run: main && found(`./bin/${name}`, main.path),
    build: found(
      // Static, so that the hosts' C library does not matter.
      `CGO_ENABLED=0 go build -trimpath -o bin/${name} ./${folder === "." ? "" : folder}`,
      "go.mod",
    ),
    test: found("go test ./...", "go.mod"),
  };
}

/** Files that are served as they are, or as a build leaves them in dist. */
export function readStaticSite(project: Project): Findings {
  const page = project.readFirst(["index.html", "public/index.html"]);
  if (page === undefined) return {};
  const isBuilt = "build" in (readManifest(project)?.scripts ?? {});
  const folder = isBuilt ? "dist" : dirname(page.path);
  return {
    run: found(
      `python3 -m http.server $PORT --bind $HOST --directory ${folder}`,
      page.path,
    ),
    health: found("/", page.path),
  };
}

/** The last CMD or ENTRYPOINT, and the path that HEALTHCHECK asks for. */
export function readDockerfile(project: Project): Findings {
  const text = project.read("Dockerfile")?.replace(/\\\n\s*/g, " ");
  if (text === undefined) return {};
  const last = (word: string) =>
    [...text.matchAll(new RegExp(`^\\s*${word}\\s+(.+)$`, "gim"))].at(-1)?.[1];
  const folder = last("WORKDIR")?.trim();
  const command = [last("ENTRYPOINT"), last("CMD")]
    .flatMap((it) => (it === undefined ? [] : [toCommand(it)]))
    .join(" ")
    // The hosts have no such folder: commands run in the release's.
    .replaceAll(folder === undefined ? "" : `${folder}/`, "./");
  const path = /https?:\/\/[^/\s"']+(\/[\w.~%/?=-]*)/.exec(
    last("HEALTHCHECK") ?? "",
  )?.[1];
  return {
    run: found(command, "Dockerfile"),
    health: found(path, "Dockerfile: HEALTHCHECK"),
  };
}

/** A list of words, or a command as a shell takes it. */
function toCommand(instruction: string): string {
  const words = parseJson(/^\[.*\]/.exec(instruction.trim())?.[0]);
  return Array.isArray(words)
    ? words.map(String).join(" ")
    : instruction.trim();
}
