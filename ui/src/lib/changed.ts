// Where a text changed: one stretch between what stayed at the start and what stayed at the end, in whole words.

export type Change = { before: string; changed: string; after: string };

/** What of `next` is new against `previous`; `null` when nothing was added or put in another's place. */
export function changedStretch(previous: string, next: string): Change | null {
  if (previous === next) return null;
  const shortest = Math.min(previous.length, next.length);
  let start = 0;
  while (start < shortest && previous[start] === next[start]) start += 1;
  let end = 0;
  while (end < shortest - start && previous.at(-1 - end) === next.at(-1 - end)) end += 1;
  if (start === next.length - end) return null;
  // A change inside a word is shown as the whole word; one that begins at a space is not.
  while (start > 0 && !isSpace(next[start]) && !isSpace(next[start - 1])) start -= 1;
  let stop = next.length - end;
  while (stop < next.length && !isSpace(next[stop - 1]) && !isSpace(next[stop])) stop += 1;
  return { before: next.slice(0, start), changed: next.slice(start, stop), after: next.slice(stop) };
}

function isSpace(character: string | undefined): boolean {
  return character === undefined || /\s/.test(character);
}
