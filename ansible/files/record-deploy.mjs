// Records a deploy in the ledger, with the first release folder that has the program for it (since 0.2.0):
// node … <release folders as JSON> <environment file> <sentence> <data as JSON> < REDIS_URL
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const program = JSON.parse(process.argv[1])
  .map((folder) => join(folder, "dist/apps/cli/record-deploy-main.js"))
  .find((path) => existsSync(path));
if (program === undefined)
  throw new Error("no release on this host can record a deploy");
process.argv[1] = program;
process.env.REDIS_URL = readFileSync(0, "utf8");
await import(pathToFileURL(program).href);
