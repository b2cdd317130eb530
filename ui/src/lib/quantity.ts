// Numbers as people read them.

/** "850 ms", "2.4 s", "3 min 12 s". */
export function duration(nanoseconds: number, language: string): string {
  const milliseconds = nanoseconds / 1_000_000;
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toLocaleString(language, { maximumFractionDigits: 1 })} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** "12,345". */
export function count(value: number, language: string): string {
  return value.toLocaleString(language);
}

/** "12%"; below one percent "<1%". */
export function share(part: number, whole: number, language: string): string {
  if (whole <= 0) return "0%";
  const ratio = part / whole;
  if (ratio > 0 && ratio < 0.01) return "<1%";
  return ratio.toLocaleString(language, { style: "percent", maximumFractionDigits: 0 });
}
