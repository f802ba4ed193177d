/** A terminal's line is redrawn ten times a second; another output gets a dot each second. */
const REDRAW_MS = 100;
const DOT_MS = 1000;
const CLEAR_LINE = "\r\x1b[K";

/**
 * Runs a step behind a line with its name and the elapsed seconds.
 *
 * @returns what `run` resolves to
 */
export async function showStep(name, run) {
  const { stdout } = process;
  const startedAt = performance.now();
  const line = `prepare: ${name} …`;
  const withSeconds = () =>
    ` ${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
  const redraw = () => stdout.write(CLEAR_LINE + line + withSeconds());
  stdout.write(line);
  const timer = stdout.isTTY
    ? setInterval(redraw, REDRAW_MS)
    : setInterval(() => stdout.write("."), DOT_MS);
  try {
    return await run();
  } finally {
    clearInterval(timer);
    if (stdout.isTTY) redraw();
    else stdout.write(withSeconds());
    stdout.write("\n");
  }
}
