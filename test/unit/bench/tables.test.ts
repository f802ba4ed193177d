import { expect } from "chai";
import {
  formatRange,
  renderMarkdown,
  renderText,
  tabulateTargets,
} from "../../../bench/compare/tables.js";
import { replaceSection } from "../../../bench/readme-section.js";

describe("benchmark tables", () => {
  it("show the median with minimum and maximum, or a dash", () => {
    const range = { min: 1, median: 1.5, max: 2, rounds: 5 };
    expect(formatRange(range)).to.equal("1.5 (1–2)");
    expect(formatRange(null)).to.equal("–");
  });

  it("show a missed target", () => {
    const [, row] = tabulateTargets([
      {
        figure: "tiny GET",
        product: "serin direct",
        value: 2.5,
        unit: "×",
        accept: 1.8,
        aim: 1.4,
        verdict: "missed",
      },
    ]);
    expect(row).to.deep.equal([
      ...["tiny GET", "direct", "2.5 ×"],
      ...["1.8", "1.4", "missed"],
    ]);
  });

  it("are rendered as columns of text and as Markdown", () => {
    const table = [
      ["", "nginx"],
      ["tiny GET", "1"],
    ];
    expect(renderText(table)).to.equal("          nginx\ntiny GET  1");
    expect(renderMarkdown(table)).to.equal(
      "|  | nginx |\n| --- | --- |\n| tiny GET | 1 |",
    );
  });
});

describe("generated README section", () => {
  const readme = "a\n\n<!-- bench -->\n\nold\n\n<!-- /bench -->\n\nb\n";

  it("replaces only the text between its markers", () => {
    const renewed = replaceSection(readme, "bench", "new: $1 and $&\n");
    expect(renewed).to.equal(
      "a\n\n<!-- bench -->\n\nnew: $1 and $&\n\n<!-- /bench -->\n\nb\n",
    );
    expect(replaceSection(renewed, "bench", "old\n")).to.equal(readme);
  });

  it("requires its markers", () => {
    const replace = () => replaceSection(readme, "other", "new");
    expect(replace).to.throw("no section other");
  });
});
