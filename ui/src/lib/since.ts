// How long ago something was, in the person's language, and the exact moment for whoever wants it.

const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** "2 minutes ago"; within a minute "now". What is to come is rounded: a day from a moment ago is "in 24 hours". */
export function since(date: string, language: string, now: number = Date.now()): string {
  const seconds = (Date.parse(date) - now) / 1000;
  if (Number.isNaN(seconds)) return date;
  const whole = seconds > 0 ? Math.round : Math.trunc;
  const words = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  for (const [unit, length] of STEPS) {
    if (Math.abs(seconds) >= length) return words.format(whole(seconds / length), unit);
  }
  return words.format(0, "second");
}

/** Date and time to the second. */
export function moment(date: string, language: string): string {
  const at = new Date(date);
  if (Number.isNaN(at.getTime())) return date;
  return at.toLocaleString(language, { dateStyle: "medium", timeStyle: "medium" });
}
