import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  readServiceFile,
  type ServiceFile,
} from "../../../lib/service-file.js";
import { createTempDirectory } from "../temp-directory.js";

/** The service of a serin.yml with this text, in a folder of its own. */
export function createServiceFile(
  text = "service: shop\nrun: node server.js",
): ServiceFile {
  const path = join(createTempDirectory(), "serin.yml");
  writeFileSync(path, text);
  return readServiceFile(path);
}
