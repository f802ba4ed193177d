import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { composeMail } from "../../apps/monitor/alert/message/compose.js";
import { useBrowser } from "../support/browser/chromium.js";
import {
  event,
  LATENCY_FLIP,
  MAIL_SETTINGS,
} from "../support/alert/alert-event.js";

/** Screenshots for people to look at; git ignores the folder. */
const SHOTS = fileURLToPath(
  new URL("../../../artifacts/mails/", import.meta.url),
);

const { html: MAIL } = composeMail(
  {
    event: event({
      data: {
        ...LATENCY_FLIP.data,
        ...{ canaryBeforeMs: 4.9, canaryLatencyMs: 1012.3, prodLatencyMs: 4.2 },
      },
    }),
    others: [],
    background: {},
  },
  MAIL_SETTINGS,
);

/** As Outlook for Windows shows it: without style sheets, and with sizes, backgrounds and padding of table cells only. */
function asInWord(html: string): string {
  return html
    .replace(/<style>[^]*?<\/style>/g, "")
    .replace(/<!--\[if mso\]>([^]*?)<!\[endif\]-->/g, "$1")
    .replace(
      /<(?!td|table)(\w+)([^>]*) style="([^"]*)"/g,
      (_, tag, rest, style) => {
        const kept = String(style)
          .split(";")
          .filter(
            (rule) =>
              !/^(width|height|padding|background|border|max-width)/.test(rule),
          );
        return `<${tag}${rest} style="${kept.join(";")}"`;
      },
    )
    .replace(
      /(max-width|border-radius|overflow-wrap|word-break):[^;"]*;?/g,
      "",
    );
}

describe("a mail", function () {
  this.timeout(60_000);

  const browser = useBrowser();

  before(() => mkdirSync(SHOTS, { recursive: true }));

  async function show(html: string, width: number, scheme: "light" | "dark") {
    const page = await browser().newPage({
      viewport: { width, height: 900 },
      colorScheme: scheme,
    });
    await page.setContent(html);
    const box = async (selector: string) =>
      (await page.locator(selector).boundingBox())!;
    const color = (selector: string) =>
      page.evaluate<string>(
        `getComputedStyle(document.querySelector("${selector}")).backgroundColor`,
      );
    const widest = await page.evaluate<number>(
      "document.documentElement.scrollWidth",
    );
    return { page, box, color, widest };
  }

  for (const width of [375, 800])
    for (const scheme of ["light", "dark"] as const)
      it(`fits ${width} px, ${scheme}`, async () => {
        const { page, box, widest } = await show(MAIL, width, scheme);
        await page.screenshot({
          path: `${SHOTS}${width}-${scheme}.png`,
          fullPage: true,
        });
        expect(widest).to.be.at.most(width);
        expect((await box(".page")).width).to.be.at.most(600);
        await page.close();
      });

  for (const width of [375, 800])
    it(`draws its bars and its button in Word’s engine at ${width} px`, async () => {
      const shown = await show(asInWord(MAIL), width, "light");
      const { page, box, color } = shown;
      await page.screenshot({
        path: `${SHOTS}${width}-word.png`,
        fullPage: true,
      });
      const [canary, limit] = [await box(".over"), await box(".limit")];
      expect(limit.width / canary.width).to.be.closeTo(0.49, 0.02);
      expect(canary.height).to.be.at.least(14);
      expect(canary.width).to.be.above(100);
      expect(await color(".over")).to.equal("rgb(207, 34, 46)");
      expect((await box(".page")).width).to.be.at.most(600);
      const button = await box("td:has(> a)");
      expect(button.height).to.be.above(40);
      expect(await color("td:has(> a)")).to.equal("rgb(9, 105, 218)");
      await page.close();
    });
});
