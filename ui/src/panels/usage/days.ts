// The days of a span, those without any use included.

/** The first moment of the first of so many days, today being the last. */
export function beginning(days: number, now: Date): Date {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() - days + 1);
}

/** `2026-11-20`, as this machine counts days. */
export function dateOf(day: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

/** Every date from a day to another. */
export function datesBetween(first: Date, last: Date): string[] {
  const dates: string[] = [];
  const day = new Date(first.getFullYear(), first.getMonth(), first.getDate());
  while (day <= last) {
    dates.push(dateOf(day));
    day.setDate(day.getDate() + 1);
  }
  return dates;
}

/** A step of an axis that is 1, 2 or 5 times a power of ten, so that at most `most` steps reach `value`. */
export function roundStep(value: number, most: number): number {
  if (value <= 0) return 1;
  const rough = value / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((times) => times * power >= rough) ?? 10;
  return step * power;
}
