import { runProgram } from "../../lib/program/lifecycle.js";
import { startApp } from "./start.js";
import { readConfig } from "./config.js";

await runProgram({ name: "app", readConfig, start: startApp });
