import { fileURLToPath } from "node:url";
import { runLauncher } from "./run-launcher.js";

await runLauncher({
  args: process.argv.slice(2),
  env: process.env,
  programsDirectory: fileURLToPath(new URL("..", import.meta.url)),
  output: process.stdout,
});
