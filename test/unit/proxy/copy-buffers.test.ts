import { expect } from "chai";
import { CopyBuffers } from "../../../apps/proxy/engines/direct/copy-buffers.js";

const SIZE = 8192;
const filled = (byte: number, length = SIZE) => Buffer.alloc(length, byte);

/** A write that keeps what it was given, and how to give it back. */
function keepingWrite() {
  const kept: { copy: Buffer; giveBack: (() => void) | undefined }[] = [];
  const write = (copy: Buffer, giveBack?: () => void) =>
    kept.push({ copy, giveBack });
  return { kept, write };
}

describe("copy buffers", () => {
  it("join pieces into a copy that is independent of their source", () => {
    const copies = new CopyBuffers(SIZE);
    const { kept, write } = keepingWrite();
    const source = filled(1, 5000);
    copies.lend([source, Buffer.from("tail")], write);
    source.fill(9);
    expect(kept[0]?.copy).to.deep.equal(
      Buffer.concat([filled(1, 5000), Buffer.from("tail")]),
    );
  });

  it("do not reuse a copy's memory before it is given back", () => {
    const copies = new CopyBuffers(SIZE);
    const { kept, write } = keepingWrite();
    copies.lend([filled(1)], write);
    copies.lend([filled(2)], write);
    expect(kept.map(({ copy }) => copy)).to.deep.equal([filled(1), filled(2)]);
  });

  it("reuse memory that was given back", () => {
    const copies = new CopyBuffers(SIZE);
    const { kept, write } = keepingWrite();
    copies.lend([filled(1)], write);
    kept[0]?.giveBack?.();
    copies.lend([filled(2)], write);
    expect(kept[1]?.copy.buffer).to.equal(kept[0]?.copy.buffer);
  });

  it("allocate memory for copies that are small or too large for a buffer", () => {
    const copies = new CopyBuffers(SIZE);
    const { kept, write } = keepingWrite();
    copies.lend([filled(1, 10)], write);
    copies.lend([filled(2, SIZE + 1)], write);
    expect(kept.map(({ giveBack }) => giveBack)).to.deep.equal([
      undefined,
      undefined,
    ]);
    expect(kept[1]?.copy).to.deep.equal(filled(2, SIZE + 1));
  });
});
