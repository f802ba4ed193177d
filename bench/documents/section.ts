/** Replaces the text between the markers `<!-- name -->` and `<!-- /name -->`. @throws when they are missing */
export function replaceSection(
  document: string,
  name: string,
  content: string,
): string {
  const [start, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
  const [from, to] = [document.indexOf(start), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`no section ${name}`);
  return `${document.slice(0, from + start.length)}\n${content}\n${document.slice(to)}`;
}
