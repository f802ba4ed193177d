import type { CaseGroup } from "./case.js";
import { MALFORMED_REQUESTS } from "./malformed-requests.js";
import { ABORTS } from "./aborts.js";
import { FRAMING } from "./framing.js";
import { KEEP_ALIVE } from "./keep-alive.js";
import { LOAD } from "./load.js";
import { WEBSOCKET } from "./websocket.js";
import { PROPER_REQUESTS } from "./proper-requests.js";
import { RESPONSES } from "./responses.js";

/** All cases. */
export const GROUPS: readonly CaseGroup[] = [
  ...MALFORMED_REQUESTS,
  PROPER_REQUESTS,
  ...RESPONSES,
  ...FRAMING,
  ...ABORTS,
  ...KEEP_ALIVE,
  WEBSOCKET,
  ...LOAD,
];
