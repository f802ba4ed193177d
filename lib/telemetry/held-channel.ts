/** A way to reach people that cannot be used now: what it has to tell waits in the outbox. */
export interface HeldChannel {
  /** `mail` or `webhook` */
  channel: string;
  error: string;
}

/** `mail cannot be sent: connect ECONNREFUSED 10.0.0.5:25` */
export function describeHeld({ channel, error }: HeldChannel): string {
  return `${channel} cannot be sent: ${error}`;
}
