import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Obstacle } from "./obstacle.mjs";

/** @throws Obstacle if package.json's `engines` does not allow this version of Node */
export function checkNodeVersion(root) {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const range = manifest.engines.node;
  const running = parseVersion(process.versions.node);
  if (range.split("||").some((part) => satisfies(running, part.trim()))) return;
  throw new Obstacle(
    `Serin needs Node ${range}, and this is ${process.versions.node} (${process.execPath}).\n` +
      "Get a newer one from https://nodejs.org, or with nvm: nvm install",
  );
}

/** `range` is `^1.2.3` or `>=1.2.3`: the two forms that package.json uses. */
function satisfies(version, range) {
  const [, operator, lowest] = /^(\^|>=)(\d+\.\d+\.\d+)$/.exec(range) ?? [];
  if (lowest === undefined)
    throw new Error(`engines.node has a form unknown here: ${range}`);
  const minimum = parseVersion(lowest);
  const isOfMajor = operator === ">=" || version[0] === minimum[0];
  return isOfMajor && compare(version, minimum) >= 0;
}

function parseVersion(text) {
  return text.split("-", 1)[0].split(".").map(Number);
}

function compare(a, b) {
  const differing = a.findIndex((part, i) => part !== b[i]);
  return differing === -1 ? 0 : a[differing] - b[differing];
}
