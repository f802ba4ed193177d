import { readFileSync, writeFileSync } from "node:fs";
import { format } from "prettier";
import { pathOf } from "./with-system.js";

const README = pathOf("../../README.md");

/** What stands between the markers `<!-- name -->` and `<!-- /name -->`, replaced. @throws when they are not there */
export function replaceSection(
  readme: string,
  name: string,
  content: string,
): string {
  const [start, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
  const [from, to] = [readme.indexOf(start), readme.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`no section ${name}`);
  return `${readme.slice(0, from + start.length)}\n${content}\n${readme.slice(to)}`;
}

/** Puts a generated part into the README, or only checks that it is there. @returns whether it was */
export async function renewSection(
  name: string,
  markdown: string,
  options: { check: boolean },
): Promise<boolean> {
  const readme = readFileSync(README, "utf8");
  const content = await format(markdown, {
    parser: "markdown",
    printWidth: 120,
  });
  const renewed = replaceSection(readme, name, content);
  if (!options.check) writeFileSync(README, renewed);
  return renewed === readme;
}
