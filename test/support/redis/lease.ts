/** A lease's value as the leading monitor stores it. */
export function encodeLease(holder: string, epoch: number): string {
  return JSON.stringify({ holder, epoch });
}
