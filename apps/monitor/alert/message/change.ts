import { formatSpan } from "../../../../lib/wording/units.js";
import { formatTime } from "../../../../lib/wording/figures.js";
import type { Change } from "./report.js";

/** `0.2.0-… by Ann (81fd353b24: Faster cart), deployed at … (14 min before)`; undefined if the release is unknown. */
export function describeChange(
  release: string | undefined,
  change: Change | undefined,
  at: string,
): string | undefined {
  if (release === undefined) return undefined;
  const { author, commit, subject, deployedAt } = change ?? {};
  const made = [commit, subject].filter((part) => part !== undefined);
  const words = [
    release,
    author === undefined ? "" : ` by ${author}`,
    made.length === 0 ? "" : ` (${made.join(": ")})`,
    deployedAt === undefined
      ? ""
      : `, deployed at ${formatTime(deployedAt)}, ${formatSpan(Date.parse(at) - Date.parse(deployedAt))} before`,
  ];
  return words.join("");
}

/**
 * The page of a change, by a template such as `https://git.example.com/shop/commit/{commit}` or
 * `…/compare/{before}...{commit}`; undefined if it names something unknown.
 */
export function linkChange(
  template: string | undefined,
  change: Change | undefined,
): string | undefined {
  const { commit, before } = change ?? {};
  if (template === undefined || commit === undefined) return undefined;
  const url = template.replaceAll("{commit}", encodeURIComponent(commit));
  if (before === undefined) return url.includes("{before}") ? undefined : url;
  return url.replaceAll("{before}", encodeURIComponent(before));
}
