import { expect } from "chai";
import { renewDocuments } from "../../../bench/documents/documents.js";

describe("generated sections of the documents", () => {
  it("say what bench/results and the definitions of the settings say (else: npm run docs)", async () => {
    const outdated = (await renewDocuments())
      .filter(({ current, renewed }) => current !== renewed)
      .map(({ path }) => path);
    expect(outdated).to.deep.equal([]);
  });
});
