import { describe, expect, it } from "vitest";
import { since } from "./since";

const NOW = Date.parse("2026-01-02T00:00:00Z");

describe("since", () => {
  it.each([
    ["2026-01-02T00:00:00Z", "now"],
    ["2026-01-01T23:58:01Z", "1 minute ago"],
    ["2025-12-31T00:00:00Z", "2 days ago"],
    ["2026-01-02T23:59:30Z", "in 24 hours"],
    ["not a date", "not a date"],
  ])("says %s as %s", (date, words) => {
    expect(since(date, "en", NOW)).toBe(words);
  });
});
