import { runProgram } from "../../lib/program/lifecycle.js";
import { readConfig } from "./config.js";
import { startProxy } from "./proxy.js";

await runProgram({ name: "proxy", readConfig, start: startProxy });
