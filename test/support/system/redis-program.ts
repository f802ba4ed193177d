import { Reaper } from "../../../apps/launcher/processes/reaper.js";
import {
  startPrivateRedis,
  type PrivateRedis,
} from "../redis/private-redis.js";
import { findServicePort } from "./service-port.js";

/** A private Redis that can be killed and restarted, empty, at the same address. */
export class RedisProgram {
  readonly url: string;
  readonly #port: number;
  readonly #reaper = new Reaper();
  #redis: PrivateRedis | undefined;

  private constructor(port: number) {
    this.#port = port;
    this.url = `redis://127.0.0.1:${port}`;
  }

  /** Chooses its port without starting it. */
  static async create(): Promise<RedisProgram> {
    return new RedisProgram(await findServicePort());
  }

  async start(): Promise<void> {
    this.#redis = await startPrivateRedis({ port: this.#port });
    this.#reaper.watch(this.#redis.pid);
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    const redis = this.#redis;
    if (redis === undefined) return;
    this.#redis = undefined;
    await redis.stop();
    this.#reaper.forget(redis.pid);
  }

  async close(): Promise<void> {
    await this.kill();
    await this.#reaper.close();
  }
}
