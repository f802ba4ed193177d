import {
  createServer,
  get,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import type { StateMessage } from "../../../apps/monitor/messages/page-messages.js";
import { PageStream } from "../../../apps/monitor/api/page-stream.js";
import type { LedgerEvent } from "../../../lib/flag/ledger.js";
import { onCleanup } from "../../support/cleanup.js";
import { waitFor } from "../../support/wait-for.js";

const EVENT = { id: "1-0", kind: "flip" } as LedgerEvent;

describe("the stream to the dashboards", () => {
  let reads: number;
  let readState: () => Promise<StateMessage>;
  let stream: PageStream;
  let responses: ServerResponse[];
  /** Pages that the stream still has. */
  let pages: Set<ServerResponse>;
  let port: number;
  /** Advances a second; undefined while no timer runs. */
  let tick: (() => void) | undefined;

  beforeEach(async () => {
    reads = 0;
    responses = [];
    pages = new Set();
    readState = () => Promise.resolve({ now: ++reads } as StateMessage);
    stream = new PageStream(
      { readState: () => readState(), newestPoints: () => [] },
      (intervalMs, onTick) => {
        expect(intervalMs).to.equal(1000);
        expect(tick).to.equal(undefined);
        tick = onTick;
        return () => (tick = undefined);
      },
    );
    const server = createServer((_request, response) => {
      responses.push(response);
      try {
        stream.open(response);
        pages.add(response);
        response.once("close", () => pages.delete(response));
      } catch {
        response.writeHead(503).end();
      }
    }).listen(0, "127.0.0.1");
    await waitFor("the server", () => server.listening);
    ({ port } = server.address() as AddressInfo);
    onCleanup(() => {
      stream.close();
      server.closeAllConnections();
      server.close();
    });
  });

  /** A page and its messages. */
  async function open(localAddress = "127.0.0.1") {
    const page = { text: "", hasEnded: false };
    const response = await new Promise<IncomingMessage>((resolve, reject) =>
      get({ host: "127.0.0.1", port, localAddress, agent: false }, resolve).on(
        "error",
        reject,
      ),
    );
    response.setEncoding("utf8");
    response.on("data", (text: string) => (page.text += text));
    response.on("error", () => undefined);
    response.on("close", () => (page.hasEnded = true));
    onCleanup(() => response.destroy());
    return { page, response };
  }

  const states = ({ text }: { text: string }) =>
    text.split("event: state\n").length - 1;

  it("sends the state at once and then each second", async () => {
    const { page, response } = await open();
    expect(response.headers["content-type"]).to.match(/^text\/event-stream/);
    await waitFor("the first state", () => states(page) === 1);
    expect(page.text).to.include('event: state\ndata: {"now":1}\n\n');
    expect(page.text).to.include("event: points\ndata: []\n\n");
    for (const count of [2, 3]) {
      tick!();
      await waitFor("another", () => states(page) === count);
    }
  });

  it("reads the state once for all pages, and never without pages", async () => {
    const three = await Promise.all([open(), open(), open()]);
    await waitFor("states", () => three.every(({ page }) => states(page) >= 1));
    // Three pages at once, each with an immediate state.
    expect(reads).to.be.at.most(3);
    const before = reads;
    tick!();
    await waitFor("more", () => three.every(({ page }) => states(page) >= 2));
    expect(reads).to.equal(before + 1);
    for (const { response } of three) response.destroy();
    await waitFor("nobody to listen", () => tick === undefined);
    stream.tell(EVENT);
    stream.nudge();
    expect(reads).to.equal(before + 1);
  });

  it("sends an event and the new state at once", async () => {
    const { page } = await open();
    await waitFor("the first state", () => states(page) === 1);
    stream.tell(EVENT);
    await waitFor("the event", () => states(page) === 2);
    const told = page.text.indexOf("event: ledger");
    expect(told).to.be.above(0);
    expect(told).to.be.below(page.text.lastIndexOf("event: state"));
  });

  it("reads once more when something happens during a read", async () => {
    let release: () => void = () => undefined;
    readState = () =>
      new Promise((resolve) => {
        reads += 1;
        release = () => resolve({ now: reads } as StateMessage);
      });
    const { page } = await open();
    await waitFor("a read", () => reads === 1);
    stream.nudge();
    stream.nudge();
    release();
    await waitFor("another", () => reads === 2);
    release();
    await waitFor("both", () => states(page) === 2);
  });

  it("reports an outage while Redis is away", async () => {
    const healthy = readState;
    readState = () => Promise.reject(new Error("away"));
    const { page } = await open();
    await waitFor("the outage", () => page.text.includes("event: outage"));
    expect(page.text).to.include("the monitor cannot reach Redis");
    expect(page.text).not.to.include("away");
    tick!();
    await waitFor("more", () => page.text.split("event: outage").length > 2);
    readState = healthy;
    tick!();
    await waitFor("the state", () => states(page) === 1);
  });

  it("makes pages fetch the history when it is whole, and after a gap", async () => {
    const { page } = await open();
    const hints = () => page.text.split("event: history").length - 1;
    await waitFor("the first state", () => states(page) === 1);
    expect(hints()).to.equal(0);
    stream.setWhole(true);
    stream.setWhole(true);
    await waitFor("the hint", () => hints() === 1);
    stream.setWhole(false);
    stream.setWhole(true);
    await waitFor("another", () => hints() === 2);
    const late = await open();
    await waitFor("its own", () => late.page.text.includes("event: history"));
  });

  it("disconnects a page that does not read, and keeps the others", async () => {
    const slow = await open();
    const { page } = await open();
    slow.response.pause();
    const data = { filler: "x".repeat(100_000) };
    await waitFor("the slow one to be cut off", () => {
      stream.tell({ ...EVENT, data });
      return pages.size === 1;
    });
    const before = states(page);
    tick!();
    await waitFor("the other to go on", () => states(page) > before);
  });

  it("makes room for the 101st page at the cost of the busiest address", async () => {
    const other = await open("127.0.0.2");
    const busy = [await open()];
    for (let i = 1; i < 99; i++) busy.push(await open());
    expect((await open("127.0.0.3")).response.statusCode).to.equal(200);
    await waitFor("its oldest to go", () => busy[0]!.page.hasEnded);
    expect((await open()).response.statusCode).to.equal(200);
    await waitFor("the next to go", () => busy[1]!.page.hasEnded);
    expect(pages.size).to.equal(100);
    expect(other.page.hasEnded || busy[2]!.page.hasEnded).to.equal(false);
  });

  it("ends all streams when closed, and refuses further ones", async () => {
    const { page } = await open();
    stream.close();
    await waitFor("its end", () => page.hasEnded);
    expect((await open()).response.statusCode).to.equal(503);
  });

  it("sends nothing after it is closed, even to a slow page", async () => {
    const { page, response } = await open();
    response.pause();
    const data = { filler: "x".repeat(20_000) };
    await waitFor("the page to be behind", () => {
      if (responses[0]!.writableLength > 0) return true;
      stream.tell({ ...EVENT, data });
      return false;
    });
    stream.close();
    stream.tell({ ...EVENT, reason: "too late" });
    stream.nudge();
    response.resume();
    await waitFor("its end", () => page.hasEnded);
    expect(page.text).not.to.include("too late");
  });
});
