// Validates the environment with the program's readConfig: node … <config.js>
import { basename, dirname } from "node:path";
import { pathToFileURL } from "node:url";

const [, configPath] = process.argv;
const { readConfig } = await import(pathToFileURL(configPath).href);
try {
  readConfig(process.env);
} catch (err) {
  // The message of a SettingsError is meant for people and contains no secret.
  console.error(`${basename(dirname(configPath))}: ${err.message}`);
  process.exitCode = 1;
}
