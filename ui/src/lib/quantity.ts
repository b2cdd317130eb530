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

/** "3.4 MB". */
export function size(bytes: number, language: string): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toLocaleString(language, { maximumFractionDigits: unit === 0 ? 0 : 1 })} ${units[unit]}`;
}

/** "$1.20"; below a cent "<$0.01". */
export function dollars(value: number, language: string): string {
  const money = (amount: number) => amount.toLocaleString(language, { style: "currency", currency: "USD" });
  return value > 0 && value < 0.01 ? `<${money(0.01)}` : money(value);
}
