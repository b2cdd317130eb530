// Characters one cannot see but a machine obeys: zero-width, bidirectional controls, other control characters.

/** Plain text, or one character that must be named to be noticed. */
export type VisiblePiece = { text: string; hidden: boolean };

// Tab and line feed stay what they are; everything else of category C, and invisible fillers, is named.
const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\u115F\u1160\u3164\uFFA0\u2028\u2029]/u;

export function visiblePieces(text: string): VisiblePiece[] {
  const pieces: VisiblePiece[] = [];
  let plain = "";
  for (const character of text) {
    if (character === "\n" || character === "\t" || !HIDDEN.test(character)) {
      plain += character;
      continue;
    }
    if (plain) pieces.push({ text: plain, hidden: false });
    plain = "";
    pieces.push({ text: codePoint(character), hidden: true });
  }
  if (plain) pieces.push({ text: plain, hidden: false });
  return pieces;
}

/** The same for a place that takes only text, such as one line of a list. */
export function namedHidden(text: string): string {
  return visiblePieces(text)
    .map((piece) => (piece.hidden ? `‹${piece.text}›` : piece.text))
    .join("");
}

function codePoint(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}
