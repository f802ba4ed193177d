#!/usr/bin/env node
import { abortOnSignals } from "../../lib/program/stop-signals.js";
import { runCli } from "./run-cli.js";

const { env, stdin, stdout, stderr } = process;
const stopSignal = () => {
  const stopping = new AbortController();
  abortOnSignals(stopping);
  return stopping.signal;
};
// The reader of the output has closed it, like `head`: that is no failure.
stdout.on("error", (err: NodeJS.ErrnoException) =>
  process.exit(err.code === "EPIPE" ? 0 : 1),
);
const args = process.argv.slice(2);
const cwd = process.cwd();
const streams = { stdin, stdout, stderr };
const status = await runCli({ args, env, cwd, ...streams, stopSignal });
// A connection that is still opening would keep the process running.
process.exit(status);
