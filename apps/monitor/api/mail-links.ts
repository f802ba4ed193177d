import type { Express, RequestHandler, Response } from "express";
import {
  LINK_LIFE_MS,
  type ActionLink,
  type ActionLinks,
} from "../alert/message/action-link.js";
import { CHOICE_LABELS, type Choice } from "../alert/message/effect.js";
import { createNotice, type NoticeSettings } from "../alert/message/notice.js";
import { renderHtml } from "../alert/message/render-html.js";
import { HttpError } from "./access.js";
import { renderActionPage, type ActionPage } from "./action-page.js";
import type { ApiBackend } from "./backend.js";
import { createMomentNotice, createRolloutNotice } from "./moment.js";

const ROLLOUT_ID = /^\d{1,9}$/;
const EVENT_ID = /^\d{1,15}-\d{1,15}$/;

const DONE: Record<Choice, string> = {
  keep: "The canary stays stopped.",
  stop: "The canary is stopped.",
  resume: "The canary is let in again.",
  promote: "The rollout goes on.",
  abort: "The rollout is aborted.",
};

/**
 * Not `no-referrer`: browsers then send a form without the origin that the monitor checks. The address of a used link is worth
 * nothing.
 */
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  "content-type": "text/html; charset=utf-8",
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  "cache-control": "no-store",
};

/** The pages that messages link to. GET changes nothing: mail programs open links to check them. */
export function addMailLinks(
  api: Express,
  backend: ApiBackend,
  notice: NoticeSettings,
): void {
  const { links } = notice;
  api.get("/events/:id", async ({ params: { id } }, response) => {
    const moment = EVENT_ID.test(id) ? await backend.readMoment(id) : undefined;
    if (moment === undefined) throw new HttpError(404, `no event ${id}`);
    const html = renderHtml(createMomentNotice(moment, notice));
    response.set(HEADERS).send(html);
  });
  api.get("/rollouts/:id", async ({ params: { id } }, response) => {
    const found = ROLLOUT_ID.test(id)
      ? await backend.readRolloutMoment(Number(id))
      : undefined;
    if (found === undefined)
      throw new HttpError(404, `the ledger has no rollout ${id}`);
    const html = renderHtml(createRolloutNotice(found, notice));
    response.set(HEADERS).send(html);
  });
  if (links === undefined) return;
  api.get(
    "/actions/:choice",
    answer(links, notice, async (link) => {
      if (await backend.isUsed(link)) return USED;
      const verb = CHOICE_LABELS[link.choice];
      const [{ flag }, moment] = await Promise.all([
        backend.readState(),
        backend.readMoment(link.event),
      ]);
      const told = moment && createNotice(moment.report, notice).title;
      const by = flag.by === null ? "" : ` by ${flag.by}: ${flag.reason ?? ""}`;
      return {
        title: `${verb}?`,
        sentences: [
          ...(told === undefined ? [] : [`The message was: ${told}.`]),
          `${flag.name} is ${flag.value ? "on" : "off"} now${by}.`,
        ],
        button: verb,
      };
    }),
  );
  api.post(
    "/actions/:choice",
    answer(links, notice, async (link) => {
      const { choice, event } = link;
      const reason = `“${CHOICE_LABELS[choice]}” was chosen in the message about event ${event}`;
      const outcome = await backend.follow(link, reason);
      if (outcome === "used") return USED;
      if (outcome === "conflict") return OVERTAKEN;
      return { title: DONE[choice], sentences: [`${outcome.sentence}.`] };
    }),
  );
}

const USED: ActionPage = {
  status: 410,
  title: "This link was used already.",
  sentences: ["Each link works once."],
};
const OVERTAKEN: ActionPage = {
  status: 409,
  title: "Nothing was changed.",
  sentences: [
    "The flag was switched or the rollout moved on since the message, so what it reports is no longer the last word.",
  ],
};
const FAULTS: Record<"forged" | "expired", ActionPage> = {
  forged: {
    status: 403,
    title: "This link is not valid.",
    sentences: [
      "It is incomplete, or the monitor has got another ADMIN_TOKEN since.",
    ],
  },
  expired: {
    status: 410,
    title: "This link is too old.",
    sentences: [
      `Links work for ${LINK_LIFE_MS / 3_600_000} hours after the event.`,
    ],
  },
};

function answer(
  links: ActionLinks,
  notice: NoticeSettings,
  act: (link: ActionLink) => Promise<ActionPage>,
): RequestHandler<{ choice: string }> {
  return async (request, response) => {
    const { event, signature } = request.query;
    const { choice } = request.params;
    const link = readLink(choice, event);
    const fault =
      link === undefined
        ? "forged"
        : links.findFault(link, signature, Date.now());
    const isValid = link !== undefined && fault === undefined;
    const page = isValid ? await act(link) : FAULTS[fault ?? "forged"];
    sendPage(response, page, notice);
  };
}

function readLink(choice: string, event: unknown): ActionLink | undefined {
  const isKnown = (name: string): name is Choice => Object.hasOwn(DONE, name);
  return isKnown(choice) && typeof event === "string" && EVENT_ID.test(event)
    ? { choice, event }
    : undefined;
}

function sendPage(
  response: Response,
  page: ActionPage,
  { system, dashboardUrl }: NoticeSettings,
): void {
  response
    .status(page.status ?? 200)
    .set(HEADERS)
    .send(renderActionPage(page, { system, dashboardUrl }));
}
