export { runLauncher } from "./run-launcher.js";
