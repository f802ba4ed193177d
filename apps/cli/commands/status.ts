import { EXIT, type ExitStatus } from "../exit-status.js";
import type { Output } from "../output.js";
import type { StateSource } from "../sources/state-source.js";
import { renderStatus } from "./status-page.js";

/** `serin status` */
export async function showStatus(
  source: StateSource,
  output: Output,
  options: { json: boolean },
): Promise<ExitStatus> {
  const reading = await source.read();
  const { report, without } = reading;
  if (options.json)
    output.json(
      without === undefined ? report : { ...report, without: without.message },
    );
  else renderStatus(reading, output.paint).forEach(output.line);
  return without?.status ?? EXIT.ok;
}
