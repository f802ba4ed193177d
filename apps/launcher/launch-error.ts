/** An error that the user can fix; the message says how. */
export class LaunchError extends Error {
  override readonly name: string = "LaunchError";
}
