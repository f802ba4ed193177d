import type uPlot from "uplot";
import { formatClock } from "../../../../lib/wording/units.js";
import type { HistoryMark } from "../../messages/history-report.js";
import type { Palette } from "./palette.js";

/** The maximum distance of the pointer, in CSS pixels. */
const NEAR_PX = 7;
const GLYPH_PX = 11;

function lookOf({ kind, value }: HistoryMark) {
  if (kind === "deploy")
    return { name: "deployed", colour: "deploy", glyph: "◆" } as const;
  return value === true
    ? ({ name: "resumed", colour: "good", glyph: "▲" } as const)
    : ({ name: "stopped", colour: "stopped", glyph: "■" } as const);
}

/** Draws a line through the plot at each mark, and its glyph above. */
export function drawMarks(
  plot: uPlot,
  marks: readonly HistoryMark[],
  palette: Palette,
): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.textAlign = "center";
  ctx.textBaseline = "bottom";
  ctx.font = `${GLYPH_PX * ratio}px system-ui, sans-serif`;
  ctx.lineWidth = ratio;
  ctx.setLineDash([2 * ratio, 2 * ratio]);
  for (const mark of marks) {
    const x = Math.round(plot.valToPos(mark.at / 1000, "x", true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    const { colour, glyph } = lookOf(mark);
    ctx.strokeStyle = ctx.fillStyle = palette.get(colour);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillText(glyph, x, bbox.top);
  }
  ctx.restore();
}

/** Describes the marks under the pointer, one per line. */
export function describeMarks(
  plot: uPlot,
  marks: readonly HistoryMark[],
  left: number,
): string {
  return marks
    .filter(
      ({ at }) => Math.abs(plot.valToPos(at / 1000, "x") - left) <= NEAR_PX,
    )
    .map((mark) => {
      const clock = formatClock(new Date(mark.at), mark.at);
      const { glyph, name } = lookOf(mark);
      return `${glyph} ${clock} ${name} by ${mark.by}: ${mark.reason}`;
    })
    .join("\n");
}
