import { runProgram } from "../../lib/program/lifecycle.js";
import { readConfig } from "./config.js";
import { startMonitor } from "./monitor.js";

await runProgram({ name: "monitor", readConfig, start: startMonitor });
