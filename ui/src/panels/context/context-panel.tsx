import { useId, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useOwnTools } from "@/api/use-own-tools";
import { QueryState } from "@/components/agent/query-state";
import { VisibleText } from "@/components/agent/visible-text";
import { cn } from "@/lib/cn";
import { count, share } from "@/lib/quantity";
import { useContextWindow, useLastCount } from "./queries";
import { type Piece, type Section, type SectionKind, sectionsOf, total } from "./sections";

type ContextPanelProps = { agentId: string; conversationId?: string | null };

/** What exactly the next request would carry, part by part, and how much room that takes. */
export function ContextPanel({ agentId, conversationId = null }: ContextPanelProps) {
  const { t, i18n } = useTranslation();
  const { data, error, isPending, refetch } = useContextWindow(agentId, conversationId);
  const { data: counted } = useLastCount(agentId);
  const { tools } = useOwnTools(agentId);
  const sections = useMemo(() => (data ? sectionsOf(data, tools) : []), [data, tools]);
  const [chosen, setChosen] = useState<string | null>(null);
  const used = total(sections);
  const room = data?.context_window_size_max ?? 0;
  const number = (value: number) => count(value, i18n.language);
  const open = sections.find(({ key }) => key === chosen) ?? null;
  return (
    <div className="flex flex-col gap-3 p-3">
      <p className="text-xs text-muted-foreground">{t("context.explanation")}</p>
      <QueryState isPending={isPending} error={error} refetch={refetch} />
      {data ? (
        <>
          <div className="tabular-nums">
            <p>
              <span className="font-semibold">
                {t("context.used", { used: about(used, i18n.language), room: number(room) })}
              </span>{" "}
              <span className="text-xs text-muted-foreground">
                {share(used, room, i18n.language)} · {t("context.estimated")}
              </span>
            </p>
            {typeof counted === "number" ? (
              <p className="text-xs text-muted-foreground">
                {t("context.counted", { tokens: number(counted) })}
              </p>
            ) : null}
          </div>
          <Bar sections={sections} room={Math.max(room, used)} chosen={chosen} onChoose={setChosen} />
          <ul className="flex flex-col">
            {sections.map((section) => (
              <li key={section.key} className="border-b last:border-b-0">
                <SectionRow
                  section={section}
                  whole={used}
                  open={section === open}
                  onToggle={() => setChosen(section === open ? null : section.key)}
                />
              </li>
            ))}
          </ul>
        </>
      ) : null}
    </div>
  );
}

/** An estimate, marked as one. */
function about(tokens: number, language: string): string {
  return `≈ ${count(tokens, language)}`;
}

/** Neighbours differ in lightness too, so that colour is not the only sign. */
const TONES: Record<SectionKind, string> = {
  system: "bg-muted-foreground/70",
  block: "bg-accent",
  memory: "bg-accent/45",
  metadata: "bg-muted-foreground/35",
  rules: "bg-muted-foreground/55",
  tools: "bg-waiting/80",
  clientTools: "bg-waiting/45",
  summary: "bg-success/80",
  messages: "bg-success/50",
};

type BarProps = {
  sections: readonly Section[];
  room: number;
  chosen: string | null;
  onChoose: (key: string | null) => void;
};

function Bar({ sections, room, chosen, onChoose }: BarProps) {
  const { t, i18n } = useTranslation();
  const name = useSectionName();
  return (
    <fieldset
      aria-label={t("context.bar")}
      className="flex h-6 w-full gap-px overflow-hidden rounded-sm border border-input bg-card"
    >
      {sections.map((section) => (
        <button
          key={section.key}
          type="button"
          aria-label={t("context.part", {
            name: name(section),
            tokens: about(section.tokens, i18n.language),
          })}
          title={`${name(section)} · ${about(section.tokens, i18n.language)}`}
          aria-pressed={section.key === chosen}
          // A part too small to hit would be there for the eye alone.
          style={{ width: `${(section.tokens / room) * 100}%`, minWidth: 6 }}
          className={cn(
            "h-full hover:opacity-80 focus-visible:-outline-offset-2 aria-pressed:ring-2 aria-pressed:ring-foreground aria-pressed:ring-inset",
            TONES[section.kind],
          )}
          onClick={() => onChoose(section.key === chosen ? null : section.key)}
        />
      ))}
    </fieldset>
  );
}

type RowProps = { section: Section; whole: number; open: boolean; onToggle: () => void };

function SectionRow({ section, whole, open, onToggle }: RowProps) {
  const { i18n } = useTranslation();
  const id = useId();
  const name = useSectionName();
  return (
    <>
      <button
        type="button"
        aria-expanded={open}
        aria-controls={id}
        className="flex w-full items-center gap-2 py-1.5 text-left hover:bg-muted"
        onClick={onToggle}
      >
        <span aria-hidden className={cn("size-2.5 shrink-0 rounded-sm", TONES[section.kind])} />
        <span className="min-w-0 flex-1 truncate">{name(section)}</span>
        <span className="text-xs text-muted-foreground tabular-nums">
          {about(section.tokens, i18n.language)} · {share(section.tokens, whole, i18n.language)}
        </span>
      </button>
      <div id={id} hidden={!open} className="pb-2">
        {open ? <Inside section={section} /> : null}
      </div>
    </>
  );
}

function Inside({ section }: { section: Section }) {
  const { t } = useTranslation();
  if (section.pieces.length > 0) {
    return (
      <ol className="flex max-h-[60vh] flex-col gap-1 overflow-y-auto">
        {section.pieces.map((piece) => (
          <li key={piece.key} className="rounded-sm border bg-card [content-visibility:auto]">
            <PieceView piece={piece} role={section.kind === "messages"} />
          </li>
        ))}
      </ol>
    );
  }
  if (section.text === null) return <p className="text-xs text-muted-foreground">{t("context.noText")}</p>;
  return (
    <VisibleText
      text={section.text}
      tabIndex={0}
      className="max-h-[60vh] rounded-sm border bg-card px-2 py-1 font-mono text-xs"
    />
  );
}

function PieceView({ piece, role }: { piece: Piece; role: boolean }) {
  const { t, i18n } = useTranslation();
  return (
    <details>
      <summary className="flex items-center gap-2 px-2 py-1 text-xs">
        <span className={cn("shrink-0 font-medium", !role && "font-mono")}>
          {role ? t(`context.roles.${piece.name}`, { defaultValue: piece.name }) : piece.name}
        </span>
        <span className="min-w-0 flex-1 truncate text-muted-foreground">
          {role ? piece.text.slice(0, 120) : ""}
        </span>
        <span className="text-muted-foreground tabular-nums">{about(piece.tokens, i18n.language)}</span>
      </summary>
      <VisibleText text={piece.text} tabIndex={0} className="border-t px-2 py-1 font-mono text-xs" />
    </details>
  );
}

function useSectionName() {
  const { t } = useTranslation();
  return ({ kind, label }: Section) =>
    kind === "block" ? t("context.block", { label: label ?? "" }) : t(`context.kinds.${kind}`);
}
