import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Turn } from "@/run/project";

/** Sentences that stay in the region; a screen reader has read the others. */
const MOST = 20;

/** Milliseconds after the end by which a screen reader has taken the text up. */
const READ = 10_000;

type SpokenProps = { turns: readonly Turn[]; active: boolean };

/** The reply for whoever listens instead of looks: sentence by sentence while it streams, never what is old. */
export function Spoken({ turns, active }: SpokenProps) {
  const { t } = useTranslation();
  const [said, setSaid] = useState<{ at: number; text: string }[]>([]);
  const upTo = useRef(0);
  const was = useRef(false);
  useEffect(() => {
    const ends = was.current && !active;
    was.current = active;
    if (!active && !ends) return;
    const text = replyOf(turns);
    // A new message begins a new reply.
    if (text.length < upTo.current) upTo.current = 0;
    const end = ends ? text.length : sentencesEnd(text);
    if (end <= upTo.current) return;
    const piece = { at: upTo.current, text: text.slice(upTo.current, end).trim() };
    upTo.current = end;
    if (piece.text) setSaid((before) => [...before.slice(1 - MOST), piece]);
  }, [turns, active]);
  // Whoever walks through the page need not meet the reply twice.
  useEffect(() => {
    if (active) return;
    const timer = setTimeout(() => setSaid([]), READ);
    return () => clearTimeout(timer);
  }, [active]);
  return (
    <div role="log" aria-label={t("chat.reply")} className="sr-only">
      {said.map(({ at, text }) => (
        <p key={`${at}/${text}`}>{text}</p>
      ))}
    </div>
  );
}

/** What the agent has said since the person's last message. */
export function replyOf(turns: readonly Turn[]): string {
  const asked = turns.findLastIndex(({ role }) => role === "user");
  return turns
    .slice(asked + 1)
    .flatMap((turn) => (turn.role === "agent" ? turn.parts : []))
    .flatMap((part) => (part.type === "text" ? [part.text] : []))
    .join("\n");
}

/** Where the last whole sentence or line ends. */
export function sentencesEnd(text: string): number {
  return Math.max(...[". ", "! ", "? ", ": ", "\n"].map((mark) => text.lastIndexOf(mark) + 1));
}
