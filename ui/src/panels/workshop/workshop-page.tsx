import { FileUp, Plus } from "lucide-react";
import { type ChangeEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Tool } from "@/api/types";
import type { OwnTool } from "@/api/workbench";
import { Button } from "@/components/ui/button";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { Empty } from "@/components/ui/empty";
import { Input } from "@/components/ui/field";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { cn } from "@/lib/cn";
import { useFailure } from "@/lib/use-failure";
import { type Draft, draftOf, draftOfOwn, fromFile, functionIn, newDraft, type StoredTool } from "./draft";
import { freeKey, isNew, useDrafts } from "./drafts";
import { GALLERY, type StartingPoint } from "./gallery";
import { useGrants, useTools, useWrittenTools } from "./queries";
import { ToolEditor } from "./tool-editor";

/** Where tools are written: a list at the left, the open one beside it. */
export function WorkshopPage() {
  const { t } = useTranslation();
  const failure = useFailure();
  const tools = useTools();
  const written = useWrittenTools();
  const { drafts, open, opened, setOpen, setDraft } = useDrafts();
  const [choosing, setChoosing] = useState(false);
  const [search, setSearch] = useState("");
  const inServer = (tools.data ?? []).filter(({ tool_type }) => tool_type === "custom");
  const onMachine = written.data ?? [];
  const all: StoredTool[] = [
    ...inServer.map(({ id, name = null }) => ({ id, name, place: "server" as const })),
    ...onMachine.map(({ id, name }) => ({ id, name, place: "machine" as const })),
  ];
  const wanted = search.trim().toLowerCase();
  const matches = (words: (string | null | undefined)[]) =>
    words.some((text) => text?.toLowerCase().includes(wanted));
  const tool = inServer.find(({ id }) => id === open) ?? null;
  const own = onMachine.find(({ id }) => id === open) ?? null;
  const error = tools.error ?? written.error;
  const begun = Object.entries(drafts).find(([key]) => key === open && isNew(key)) ?? null;
  const begin = (draft: Draft) => {
    const key = freeKey(drafts);
    setDraft(key, draft);
    setOpen(key);
    setChoosing(false);
  };
  return (
    <section aria-labelledby="workshop-heading" className="flex min-h-0 flex-1 max-lg:flex-col">
      <aside className="flex w-56 shrink-0 flex-col gap-2 border-r p-3 max-lg:w-full max-lg:border-r-0 max-lg:border-b">
        <h1 id="workshop-heading" className="text-lg font-semibold">
          {t("workshop.heading")}
        </h1>
        <div className="flex gap-2">
          <Button variant="primary" className="flex-1" onClick={() => setChoosing(true)}>
            <Plus aria-hidden className="size-4" />
            {t("workshop.create")}
          </Button>
          <Import onDraft={begin} />
        </div>
        <Input
          type="search"
          aria-label={t("workshop.search")}
          placeholder={t("workshop.search")}
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
        {tools.isPending || written.isPending ? <Spinner aria-label={t("common.loading")} /> : null}
        {error ? (
          <Problem {...failure.of(error)}>
            <Button size="sm" onClick={() => void Promise.all([tools.refetch(), written.refetch()])}>
              {t("common.tryAgain")}
            </Button>
          </Problem>
        ) : null}
        <div className="flex min-h-0 flex-col gap-3 overflow-y-auto max-lg:max-h-40">
          <ul aria-label={t("workshop.tools")} className="flex flex-col gap-0.5 empty:hidden">
            {Object.entries(drafts)
              .filter(([key]) => isNew(key))
              .map(([key, draft]) => (
                <ListItem
                  key={key}
                  name={functionIn(draft) ?? t("workshop.unsaved")}
                  draft
                  current={open === key}
                  onOpen={() => setOpen(key)}
                />
              ))}
            {inServer
              .filter(({ name, tags }) => matches([name, ...tags]))
              .map(({ id, name }) => (
                <ListItem
                  key={id}
                  name={name ?? ""}
                  mono
                  draft={id in drafts}
                  current={open === id}
                  onOpen={() => setOpen(id)}
                />
              ))}
          </ul>
          {onMachine.some(({ name }) => matches([name])) ? (
            <section aria-labelledby="machine-tools" className="flex flex-col gap-0.5">
              <h2 id="machine-tools" className="px-2 text-xs text-muted-foreground">
                {t("tools.local")}
              </h2>
              <ul aria-labelledby="machine-tools" className="flex flex-col gap-0.5">
                {onMachine
                  .filter(({ name }) => matches([name]))
                  .map(({ id, name }) => (
                    <ListItem
                      key={id}
                      name={name}
                      mono
                      draft={id in drafts}
                      current={open === id}
                      onOpen={() => setOpen(id)}
                    />
                  ))}
              </ul>
            </section>
          ) : null}
        </div>
      </aside>
      {begun || tool || own ? (
        <Opened key={opened} begun={begun} tool={tool} own={own} tools={all} onCopy={begin} />
      ) : (
        <Empty className="flex-1" heading={t("workshop.empty")}>
          <Button variant="primary" onClick={() => setChoosing(true)}>
            {t("workshop.create")}
          </Button>
        </Empty>
      )}
      <Dialog open={choosing} onOpenChange={setChoosing}>
        <DialogContent heading={t("workshop.galleryHeading")} explanation={t("workshop.galleryExplanation")}>
          <Gallery
            onChoose={({ source_type, source_code, network, place }) => {
              const draft = newDraft(source_type, source_code, place);
              begin(network ? { ...draft, grants: { ...draft.grants, network: true } } : draft);
            }}
          />
        </DialogContent>
      </Dialog>
    </section>
  );
}

type ListItemProps = { name: string; mono?: boolean; draft: boolean; current: boolean; onOpen: () => void };

function ListItem({ name, mono = false, draft, current, onOpen }: ListItemProps) {
  const { t } = useTranslation();
  return (
    <li>
      <button
        type="button"
        aria-current={current ? "true" : undefined}
        className={cn(
          "flex w-full items-center gap-1 rounded-md px-2 py-1.5 text-left hover:bg-muted",
          current && "bg-accent-soft",
        )}
        onClick={onOpen}
      >
        <span className={cn("min-w-0 flex-1 truncate", mono && "font-mono text-xs")}>{name}</span>
        {draft ? <span className="text-xs text-waiting-foreground">{t("workshop.notSaved")}</span> : null}
      </button>
    </li>
  );
}

type OpenedProps = Pick<Parameters<typeof ToolEditor>[0], "tools" | "onCopy"> & {
  /** A new one, with the key it is kept under. */
  begun: [string, Draft] | null;
  /** One that is kept with the server. */
  tool: Tool | null;
  /** One that is kept by this desk. */
  own: OwnTool | null;
};

/** What is open, be it kept or not: it stays the same editor when a new one is saved. */
function Opened({ begun, tool, own, ...rest }: OpenedProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  // Waits for what this machine grants the tool, so that saving cannot take it away unseen.
  const { data, error, isLoading } = useGrants(begun ? null : (tool?.id ?? null));
  if (begun) return <ToolEditor draftKey={begun[0]} tool={null} saved={begun[1]} {...rest} />;
  if (own) {
    const stored = { id: own.id, name: own.name, place: "machine" } as const;
    return <ToolEditor draftKey={own.id} tool={stored} saved={draftOfOwn(own)} {...rest} />;
  }
  if (!tool) return null;
  if (isLoading) return <Spinner className="m-6" aria-label={t("common.loading")} />;
  if (error) return <Problem className="m-6 self-start" {...failure.of(error)} />;
  const stored = { id: tool.id, name: tool.name ?? null, place: "server" } as const;
  return <ToolEditor draftKey={tool.id} tool={stored} saved={draftOf(tool, data ?? null)} {...rest} />;
}

function Gallery({ onChoose }: { onChoose: (point: StartingPoint) => void }) {
  const { t } = useTranslation();
  return (
    <ul className="flex flex-col gap-2">
      {GALLERY.map((point) => (
        <li key={point.key}>
          <button
            type="button"
            className="flex w-full flex-col rounded-md border bg-card px-3 py-2 text-left hover:bg-muted"
            onClick={() => onChoose(point)}
          >
            <span className="font-medium">{t(`workshop.gallery.${point.key}`)}</span>
            <span className="text-xs text-muted-foreground">
              {t(`workshop.languages.${point.source_type}`)}
              {point.network ? ` · ${t("workshop.withNetwork")}` : ""}
              {point.place ? ` · ${t(`workshop.places.${point.place}`)}` : ""}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Larger is no tool anybody wrote by hand. */
const LARGEST_FILE = 2_000_000;

function Import({ onDraft }: { onDraft: (draft: Draft) => void }) {
  const { t } = useTranslation();
  const input = useRef<HTMLInputElement>(null);
  const [refused, setRefused] = useState(false);
  const read = async (event: ChangeEvent<HTMLInputElement>) => {
    const file = event.target.files?.[0];
    event.target.value = "";
    if (!file) return;
    const draft = file.size <= LARGEST_FILE ? fromFile(file.name, await file.text()) : null;
    setRefused(draft === null);
    if (draft) onDraft(draft);
  };
  return (
    <>
      <input
        ref={input}
        type="file"
        hidden
        accept=".json,.py,.ts,.mts,.js,.mjs"
        data-testid="import-tool"
        onChange={(event) => void read(event)}
      />
      <Button
        size="icon"
        className="size-8"
        aria-label={t("workshop.import")}
        title={t("workshop.import")}
        onClick={() => input.current?.click()}
      >
        <FileUp aria-hidden className="size-4" />
      </Button>
      <Dialog open={refused} onOpenChange={setRefused}>
        <DialogContent heading={t("workshop.import")} explanation={t("workshop.importRefused")} />
      </Dialog>
    </>
  );
}
