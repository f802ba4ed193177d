import { existsSync } from "node:fs";
import { installByApt } from "./apt.mjs";
import { hasCommand } from "./command.mjs";
import { Obstacle } from "./obstacle.mjs";

/** What the benchmark compares with and puts load on with, and the Debian packages that have it. */
const PACKAGES = { nginx: "nginx-light", haproxy: "haproxy", wrk: "wrk" };
const SERVICES = ["nginx", "haproxy"];

/** Makes sure of the programs that `npm run bench` needs. @throws Obstacle naming the packages to install */
export function ensureBenchPrograms(say) {
  const missing = findMissing();
  if (missing.length === 0) return;
  const packages = missing.map((program) => PACKAGES[program]);
  const failure = hasCommand("apt-get")
    ? installByApt(
        {
          packages,
          services: SERVICES.filter((name) => missing.includes(name)),
        },
        say,
      )
    : "there is no apt-get";
  if (findMissing().length === 0) return;
  throw new Obstacle(
    `the benchmark needs ${missing.join(", ")}, and ${failure ?? "apt-get did not bring them"}\n` +
      `  Debian, Ubuntu  sudo apt-get install ${packages.join(" ")}`,
  );
}

/** nginx and haproxy are where not everybody's PATH leads. */
function findMissing() {
  return Object.keys(PACKAGES).filter(
    (program) => !hasCommand(program) && !existsSync(`/usr/sbin/${program}`),
  );
}
