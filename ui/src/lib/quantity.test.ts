import { expect, it } from "vitest";
import { dollars, duration, share, size } from "./quantity";

it.each([
  [850_000_000, "850 ms"],
  [2_400_000_000, "2.4 s"],
  [192_000_000_000, "3 min 12 s"],
])("says %i ns as %s", (ns, words) => expect(duration(ns, "en")).toBe(words));

it.each([
  [0, 0, "0%"],
  [1, 1000, "<1%"],
  [12, 100, "12%"],
])("says %i of %i as %s", (part, whole, words) => expect(share(part, whole, "en")).toBe(words));

it.each([
  [999, "999 B"],
  [3_400_000, "3.4 MB"],
])("says %i bytes as %s", (bytes, words) => expect(size(bytes, "en")).toBe(words));

it.each([
  [0, "$0.00"],
  [0.004, "<$0.01"],
  [1.2, "$1.20"],
])("says %d dollars as %s", (value, words) => expect(dollars(value, "en")).toBe(words));
