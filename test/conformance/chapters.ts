import type { Chapter } from "./case.js";
import { MALFORMED_REQUESTS } from "./malformed-requests.js";
import { ABORTS } from "./aborts.js";
import { FRAMING } from "./framing.js";
import { KEEP_ALIVE } from "./keep-alive.js";
import { LOAD } from "./load.js";
import { WEBSOCKET } from "./websocket.js";
import { PROPER_REQUESTS } from "./proper-requests.js";
import { RESPONSES } from "./responses.js";

/** All that a proxy must get right. */
export const CHAPTERS: readonly Chapter[] = [
  ...MALFORMED_REQUESTS,
  PROPER_REQUESTS,
  ...RESPONSES,
  ...FRAMING,
  ...ABORTS,
  ...KEEP_ALIVE,
  WEBSOCKET,
  ...LOAD,
];
