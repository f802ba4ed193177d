#!/usr/bin/env node
import { abortOnSignals } from "../../lib/program/stop-signals.js";
import { runCli } from "./run-cli.js";

const { env, stdout, stderr } = process;
const stopSignal = () => {
  const stopping = new AbortController();
  abortOnSignals(stopping);
  return stopping.signal;
};
// The reader of the output has closed it, like `head`.
stdout.on("error", () => process.exit());
const args = process.argv.slice(2);
const cwd = process.cwd();
const status = await runCli({ args, env, cwd, stdout, stderr, stopSignal });
// A connection that is still opening would keep the process running.
process.exit(status);
