import { expect } from "chai";
import {
  formatRange,
  renderMarkdown,
  renderText,
} from "../../../bench/compare/tables.js";
import { replaceSection } from "../../../bench/documents/section.js";

describe("benchmark tables", () => {
  it("show the median with minimum and maximum, or a dash", () => {
    const range = { min: 1, median: 1.5, max: 2, rounds: 5 };
    expect(formatRange(range)).to.equal("1.5 (1–2)");
    expect(formatRange({ ...range, max: 12345 })).to.equal("1.5 (1–12,345)");
    expect(formatRange(null)).to.equal("–");
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

describe("generated section of a document", () => {
  const document = "a\n\n<!-- bench -->\n\nold\n\n<!-- /bench -->\n\nb\n";

  it("replaces only the text between its markers", () => {
    const renewed = replaceSection(document, "bench", "new: $1 and $&\n");
    expect(renewed).to.equal(
      "a\n\n<!-- bench -->\n\nnew: $1 and $&\n\n<!-- /bench -->\n\nb\n",
    );
    expect(replaceSection(renewed, "bench", "old\n")).to.equal(document);
  });

  it("requires its markers", () => {
    const replace = () => replaceSection(document, "other", "new");
    expect(replace).to.throw("no section other");
  });
});
