/** Evidence as odds: `132 : 1`, `1 : 8.1`. */
export function formatOdds(evidence: number): string {
  const odds = Math.exp(Math.min(Math.abs(evidence), Math.log(1e9)));
  const text = odds.toLocaleString("en-US", {
    maximumFractionDigits: odds < 10 ? 1 : 0,
  });
  return evidence >= 0 ? `${text} : 1` : `1 : ${text}`;
}
