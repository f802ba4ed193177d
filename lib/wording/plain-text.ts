/** Text that others wrote, in one line and without anything that would steer a terminal. */
export function toPlain(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what it is about
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
}
