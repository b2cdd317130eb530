import { expect, it } from "vitest";
import { beginning, dateOf, datesBetween, roundStep } from "./days";

it("counts days as the person does, over the ends of months", () => {
  const now = new Date(2026, 2, 2, 15);
  expect(dateOf(beginning(3, now))).toBe("2026-02-28");
  expect(datesBetween(beginning(3, now), now)).toEqual(["2026-02-28", "2026-03-01", "2026-03-02"]);
  expect(datesBetween(beginning(30, new Date(2026, 9, 31)), new Date(2026, 9, 31))).toHaveLength(30);
});

it("divides an axis by numbers one can read", () => {
  for (const [value, step] of [
    [0, 1],
    [9, 5],
    [1200, 500],
    [10_000, 5000],
    [0.07, 0.05],
  ] as const) {
    expect(roundStep(value, 3), String(value)).toBeCloseTo(step);
  }
});
