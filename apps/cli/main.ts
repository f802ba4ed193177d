#!/usr/bin/env node
import { abortOnSignals } from "../../lib/program/stop-signals.js";
import { runCli } from "./run-cli.js";

const { env, stdout, stderr } = process;
const stopSignal = () => {
  const stopping = new AbortController();
  abortOnSignals(stopping);
  return stopping.signal;
};
// The reader of the output has gone, as `head` does.
stdout.on("error", () => process.exit());
const args = process.argv.slice(2);
const status = await runCli({ args, env, stdout, stderr, stopSignal });
// A connection that is still being opened would hold the process for as long as that takes.
process.exit(status);
