/** Something that the person at the terminal can mend; its message says what. */
export class LaunchError extends Error {
  override readonly name: string = "LaunchError";
}
