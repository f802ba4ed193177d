import { expect } from "chai";
import {
  findIncident,
  readBackground,
} from "../../../apps/monitor/alert/background.js";
import type { EventKind, LedgerEvent } from "../../../lib/flag/ledger.js";
import { event } from "../../support/alert/alert-event.js";

const MINUTE_MS = 60_000;
const idAt = (minute: number) => `${1772366400000 + minute * MINUTE_MS}-0`;
const flip = (minute: number, value: boolean) =>
  event({ id: idAt(minute), data: { flag: "feature", value } });
const alert = (minute: number) =>
  event({ id: idAt(minute), kind: "alert", data: { alert: "gone" } });
const deploy = (minute: number, data: Record<string, unknown>) =>
  event({ id: idAt(minute), kind: "deploy", by: "deploy", data });

describe("an event's background", () => {
  const RELEASE = "0.2.0-20260301114500-81fd353b24";
  const EARLIER = "0.1.9-20260228090000-0c1d2e3f4a";
  const HARM = { requests: 7, waited: 7, failed: 0, rescued: 0, prodFailed: 0 };
  const versions = (side: string) => [side === "canary" ? RELEASE : EARLIER];

  /** @param events oldest first */
  async function read(of: LedgerEvent, ...events: LedgerEvent[]) {
    const readEvents = ({ kind }: { kind?: EventKind | undefined }) => {
      const found = events.filter((entry) => entry.kind === kind);
      return Promise.resolve(found.reverse());
    };
    return await readBackground({ readEvents }, of, {
      versions,
      readHarm: () => Promise.resolve(HARM),
      withoutFeature: "9 requests/s without the feature",
    });
  }

  it("names what the sides run, and the deploy that brought it", async () => {
    const background = await read(
      flip(10, false),
      deploy(1, { release: EARLIER, author: "Bob" }),
      deploy(2, {
        ...{ release: RELEASE, before: EARLIER, host: "canary1" },
        ...{ author: "Ann", subject: "Faster cart", commit: "81fd353b24cafe" },
      }),
      deploy(20, { release: RELEASE, author: "Cleo" }),
    );
    expect(background).to.deep.equal({
      version: RELEASE,
      prodVersion: EARLIER,
      withoutFeature: "9 requests/s without the feature",
      harm: HARM,
      change: {
        ...{ commit: "81fd353b24cafe", before: "0c1d2e3f4a", author: "Ann" },
        ...{ subject: "Faster cart", deployedAt: event({}).at },
      },
      incident: undefined,
    });
  });

  it("takes the commit from the release's name where no deploy is recorded", async () => {
    const { change } = await read(flip(10, false));
    expect(change).to.deep.include({ commit: "81fd353b24", author: undefined });
  });

  it("counts harm only for a stop that nobody asked for", async () => {
    const asked = await read({ ...flip(10, false), by: "operator" });
    expect(asked.harm).to.equal(undefined);
    expect((await read(flip(10, true))).harm).to.equal(undefined);
  });

  it("prefers the versions that the event names", async () => {
    const data = { ...flip(0, false).data, version: "0.1.0" };
    const { version, change } = await read(event({ data }));
    expect(version).to.equal("0.1.0");
    expect(change).to.deep.include({ commit: undefined });
  });

  describe("names the first event of its incident", () => {
    /** @param events oldest first; the last one is the event in question */
    const incidentOf = (...events: LedgerEvent[]) => {
      const [last, ...flips] = events.reverse();
      return findIncident(last!, flips);
    };

    it("unless it is the first itself", () => {
      expect(incidentOf(flip(0, false))).to.equal(undefined);
      expect(incidentOf(flip(0, true), flip(61, false))).to.equal(undefined);
      expect(incidentOf(alert(0))).to.equal(undefined);
      expect(incidentOf(flip(0, false), alert(60))).to.equal(undefined);
    });

    it("from a resume, however late, to the stop before it", () => {
      expect(incidentOf(flip(0, false), flip(5000, true))).to.equal(idAt(0));
    });

    it("through all tries within an hour of each other", () => {
      const tries = [0, 59, 118, 177].map((minute, i) =>
        flip(minute, i % 2 === 1),
      );
      expect(incidentOf(...tries, alert(200))).to.equal(idAt(0));
      expect(incidentOf(...tries, flip(237, false))).to.equal(undefined);
    });
  });
});
