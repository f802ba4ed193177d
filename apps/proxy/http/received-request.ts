import { IncomingMessage } from "node:http";
import { hasBody } from "./headers.js";

/** A request as the strict server receives it. */
export class ReceivedRequest extends IncomingMessage {
  /** Monotonic ms at which the whole request had arrived, with its body. */
  arrivedAt: number | undefined;
  #asksToSwitch: boolean | undefined;

  /**
   * Node asks this property whether the bytes behind the head are another protocol's. An Upgrade to anything but a WebSocket is
   * ignored, with a body or without (RFC 9110 7.8). Node's option for that, `shouldUpgradeCallback`, is not in Node 20.
   */
  get upgrade(): boolean {
    return (
      this.#asksToSwitch === true &&
      (this.method === "CONNECT" || this.#asksForWebSocket())
    );
  }

  set upgrade(value: boolean | null) {
    // Node's constructor sets it, when this object has no fields yet.
    if (value !== null) this.#asksToSwitch = value;
  }

  /** Node's parser pushes the body, and null behind it. */
  override push(piece: Buffer | null, encoding?: BufferEncoding): boolean {
    if (piece === null) this.arrivedAt = performance.now();
    return super.push(piece, encoding);
  }

  #asksForWebSocket(): boolean {
    return (
      this.headers.upgrade?.toLowerCase() === "websocket" && !hasBody(this)
    );
  }
}
