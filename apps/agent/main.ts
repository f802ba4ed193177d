import { runProgram } from "../../lib/program/lifecycle.js";
import { startAgent } from "./agent.js";
import { readConfig } from "./config.js";

await runProgram({ name: "agent", readConfig, start: startAgent });
