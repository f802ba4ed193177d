import { existsSync } from "node:fs";
import { installByApt } from "./apt.mjs";
import { hasCommand } from "./command.mjs";
import { Obstacle } from "./obstacle.mjs";

/** The programs that the benchmark needs, with their Debian packages. */
const PACKAGES = { nginx: "nginx-light", haproxy: "haproxy", wrk: "wrk" };
const SERVICES = ["nginx", "haproxy"];

/** Ensures that these programs are installed. @throws Obstacle that names the missing packages */
export async function ensureBenchPrograms() {
  const missing = findMissing();
  if (missing.length === 0) return;
  const packages = missing.map((program) => PACKAGES[program]);
  const failure = hasCommand("apt-get")
    ? await installByApt({
        packages,
        services: SERVICES.filter((name) => missing.includes(name)),
      })
    : "there is no apt-get";
  if (findMissing().length === 0) return;
  throw new Obstacle(
    `the benchmark needs ${missing.join(", ")}, and ${failure ?? "apt-get did not bring them"}\n` +
      `  Debian, Ubuntu  sudo apt-get install ${packages.join(" ")}`,
  );
}

/** nginx and haproxy are in a folder that is not on every user's PATH. */
function findMissing() {
  return Object.keys(PACKAGES).filter(
    (program) => !hasCommand(program) && !existsSync(`/usr/sbin/${program}`),
  );
}
