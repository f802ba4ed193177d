import { fileURLToPath } from "node:url";
import { runLauncherProcess } from "./run-launcher.js";

await runLauncherProcess(fileURLToPath(new URL("..", import.meta.url)));
