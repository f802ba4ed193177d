// Validates an environment file with a program's readConfig: node … <config.js> <file>
import { readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { parseEnv } from "node:util";

const [, configPath, environmentPath] = process.argv;
const { readConfig } = await import(pathToFileURL(configPath).href);
try {
  readConfig(parseEnv(readFileSync(environmentPath, "utf8")));
} catch (err) {
  // The message of a SettingsError is meant for people and contains no secret.
  console.error(`${basename(dirname(configPath))}: ${err.message}`);
  process.exitCode = 1;
}
