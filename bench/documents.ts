/** Writes the generated sections of the documents, from bench/results and the definitions of the settings. A test fails while they differ. */
import { writeFileSync } from "node:fs";
import { renewDocuments } from "./documents/documents.js";
import { pathOf } from "./results-file.js";

for (const { path, current, renewed } of await renewDocuments())
  if (renewed !== current) {
    writeFileSync(pathOf(`../../${path}`), renewed);
    console.log(`${path} renewed`);
  }
