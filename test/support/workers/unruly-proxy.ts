import { startProxy } from "../../../apps/proxy/proxy.js";
import { readConfig } from "../../../apps/proxy/config.js";
import { runProgram } from "../../../lib/program/lifecycle.js";

/** The proxy with workers that crash on request. On SIGUSR2 its main thread hangs for `HANG_MS`. */
process.on("SIGUSR2", () => {
  const never = new Int32Array(new SharedArrayBuffer(4));
  Atomics.wait(never, 0, 0, Number(process.env.HANG_MS));
});

await runProgram({
  name: "proxy",
  readConfig,
  start: (config, context) =>
    startProxy(config, {
      ...context,
      workerEntry: new URL("./unruly-worker.js", import.meta.url),
    }),
});
