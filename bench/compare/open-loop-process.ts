/**
 * The open-loop generator in its own process, since it uses a whole core. OPTIONS is JSON; over IPC it sends `running` and,
 * at the end, its figures.
 */
import { OpenLoop, type OpenLoopOptions } from "./open-loop.js";

const options = JSON.parse(process.env.OPTIONS ?? "") as OpenLoopOptions;
const figures = await new OpenLoop(options).run(() => {
  process.send?.("running");
});
process.send?.(figures, () => process.disconnect());
