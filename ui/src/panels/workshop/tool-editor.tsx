import { Tabs } from "radix-ui";
import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { toApiError } from "@/api/error";
import { useIsLocal } from "@/api/use-local";
import { Button } from "@/components/ui/button";
import { CodeEditor } from "@/components/ui/code";
import { ConfirmAction } from "@/components/ui/confirm-action";
import { Menu, MenuContent, MenuItem, MenuTrigger } from "@/components/ui/menu";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { saveFile } from "@/lib/save-file";
import { useFailure } from "@/lib/use-failure";
import { AgentsTab } from "./agents-tab";
import {
  type Draft,
  newDraft,
  problemsIn,
  replacing,
  type StoredTool,
  saidOf,
  toFile,
  unsetIn,
  type Variable,
  withoutSecrets,
} from "./draft";
import { useDrafts } from "./drafts";
import { Kind } from "./kind";
import { useDeleteTool, useSaveTool, useSchema, useVariables } from "./queries";
import { SchemaTab } from "./schema-tab";
import { SettingsTab } from "./settings-tab";
import { TestTab } from "./test-tab";
import { ToolHistory } from "./tool-history";
import { useSettled } from "./use-settled";

type ToolEditorProps = {
  /** What is being written is kept under it. */
  draftKey: string;
  /** Null while it was never stored. */
  tool: StoredTool | null;
  saved: Draft;
  /** All there are, of both places: a new one must not take another's name unseen. */
  tools: readonly StoredTool[];
  onCopy: (draft: Draft) => void;
};

const TABS = ["test", "schema", "settings", "agents", "history"] as const;
/** What is asked before it is done. */
type Asking = "replace" | "delete" | "discard";

const NOTHING = [] as const;
const nameOf = ({ name }: Variable) => name;

export function ToolEditor({ draftKey: key, tool, saved, tools, onCopy }: ToolEditorProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  const local = useIsLocal();
  const { drafts, setDraft, drop } = useDrafts();
  const draft = drafts[key] ?? saved;
  const changed = tool === null || (key in drafts && JSON.stringify(draft) !== JSON.stringify(saved));
  const set = (change: Partial<Draft>) => {
    const next = { ...draft, ...change };
    // As it is kept again, there is nothing left to save.
    if (tool !== null && JSON.stringify(next) === JSON.stringify(saved)) drop(key);
    else setDraft(key, next);
  };
  const [tab, setTab] = useState<string>("test");
  const [asking, setAsking] = useState<Asking | null>(null);

  const code = useSettled(draft.source_code, 300);
  const schema = useSchema(draft.place, draft.source_type, code);
  const fault = schema.error ? toApiError(schema.error) : null;
  const message = fault && saidOf(fault.message);
  const problems = useMemo(() => (message === null ? NOTHING : problemsIn(message)), [message]);
  const name = schema.data?.name ?? tool?.name ?? null;
  const others = tools.filter((other) => other.name === schema.data?.name && other.id !== tool?.id);
  // One that is kept and takes another's name is refused, and the refusal says so.
  const replaced = tool === null ? others.find(({ place }) => place === draft.place) : undefined;
  const shadow = others.some(({ place }) => place !== draft.place);

  const keptOf = useVariables(replaced ?? null);
  const kept = new Set(
    (tool ? saved.grants.variables : (keptOf.variables ?? [])).filter(({ secret }) => secret).map(nameOf),
  );
  const unset = unsetIn(draft.grants.variables, kept);

  const save = useSaveTool();
  const remove = useDeleteTool();
  const store = () =>
    save.mutate({
      key,
      // The server finds the tool of this name by itself.
      id: tool?.id ?? (draft.place === "machine" ? (replaced?.id ?? null) : null),
      draft,
    });
  const canSave =
    changed && !save.isPending && fault === null && draft.source_code.trim() !== "" && unset.length === 0;
  const ask = () => {
    if (!canSave) return;
    if (replaced) setAsking("replace");
    else store();
  };
  const act = {
    replace: store,
    discard: () => drop(key),
    delete: () => tool && remove.mutate(tool),
  } satisfies Record<Asking, () => unknown>;
  const trial = useRef<HTMLFormElement>(null);
  /** Runs it, or leads to the form whose button does. */
  const tryOut = () => {
    if (tab === "test") trial.current?.requestSubmit();
    else setTab("test");
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (!(event.ctrlKey || event.metaKey) || event.defaultPrevented) return;
    const pressed = { s: ask, enter: tryOut }[event.key.toLowerCase()];
    if (!pressed) return;
    event.preventDefault();
    pressed();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: shortcuts for the Save and Run buttons inside
    <div className="flex min-h-0 min-w-0 flex-1 max-lg:flex-col max-lg:overflow-y-auto" onKeyDown={onKeyDown}>
      <div className="flex min-h-0 min-w-0 flex-1 flex-col gap-3 p-4 max-lg:min-h-[70vh]">
        <header className="flex items-center gap-2">
          <h2 className="flex min-w-0 flex-1 items-baseline gap-2">
            <span className="truncate font-mono font-semibold" title={name ?? undefined}>
              {name ?? t("workshop.unsaved")}
            </span>
            {changed ? (
              <span className="shrink-0 text-xs font-normal text-waiting-foreground">
                {t("workshop.notSaved")}
              </span>
            ) : null}
          </h2>
          <Button variant="primary" aria-keyshortcuts="Control+S" disabled={!canSave} onClick={ask}>
            {t("workshop.save")}
          </Button>
          <Menu>
            <MenuTrigger asChild>
              <Button>{t("workshop.more")}</Button>
            </MenuTrigger>
            <MenuContent>
              <MenuItem onSelect={() => onCopy(copyOf(draft))}>{t("workshop.duplicate")}</MenuItem>
              <MenuItem
                onSelect={() =>
                  saveFile(`${name ?? "tool"}.json`, toFile(name ?? "tool", draft), "application/json")
                }
              >
                {t("workshop.export")}
              </MenuItem>
              {key in drafts ? (
                <MenuItem onSelect={() => setAsking("discard")}>{t("workshop.discard")}</MenuItem>
              ) : null}
              {tool ? (
                <MenuItem danger onSelect={() => setAsking("delete")}>
                  {t("workshop.delete")}
                </MenuItem>
              ) : null}
            </MenuContent>
          </Menu>
        </header>
        {tool ? (
          <p className="text-xs text-muted-foreground">{t(`workshop.runs.${tool.place}`)}</p>
        ) : (
          <Kind draft={draft} onChange={set} />
        )}
        {shadow ? (
          <p role="status" className="text-xs text-waiting-foreground">
            {t(`workshop.shadow.${draft.place}`, { name })}
          </p>
        ) : null}
        {unset.length > 0 ? (
          <p role="status" className="text-xs text-waiting-foreground">
            {t("workshop.unset", { names: unset.join(", "), count: unset.length })}
          </p>
        ) : null}
        {save.error ? <Problem {...failure.of(save.error)} /> : null}
        {remove.error ? <Problem {...failure.of(remove.error)} /> : null}
        <CodeEditor
          label={t("workshop.source")}
          language={draft.source_type}
          value={draft.source_code}
          problems={problems}
          invalid={problems.length > 0}
          className="code-editor-tall min-h-0 flex-1"
          onChange={(source_code) => set({ source_code })}
          onSubmit={tryOut}
        />
        <p role="status" className="min-h-5 text-xs text-danger">
          {message}
        </p>
      </div>
      <Tabs.Root
        value={tab}
        onValueChange={setTab}
        className="flex w-[360px] shrink-0 flex-col border-l bg-rail max-lg:w-full max-lg:border-t max-lg:border-l-0"
      >
        <Tabs.List
          aria-label={t("workshop.about")}
          className="flex h-11 shrink-0 items-end overflow-x-auto overflow-y-hidden border-b px-1.5 [scrollbar-width:none]"
        >
          {TABS.map((each) => (
            <Tabs.Trigger
              key={each}
              value={each}
              className="border-b-2 border-transparent px-1.5 py-2 font-medium text-muted-foreground hover:text-foreground data-[state=active]:border-accent data-[state=active]:text-foreground"
            >
              {t(`workshop.tabs.${each}`)}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        {/* What is filled in stays, and a trial goes on, while one looks at another tab. */}
        <Tabs.Content
          forceMount
          hidden={tab !== "test"}
          value="test"
          className="min-h-0 flex-1 overflow-y-auto p-3"
        >
          <TestTab formRef={trial} tool={tool} draft={draft} schema={schema.data ?? null} />
        </Tabs.Content>
        <Tabs.Content value="schema" className="min-h-0 flex-1 overflow-y-auto p-3">
          <SchemaTab schema={schema.data ?? null} />
        </Tabs.Content>
        <Tabs.Content value="settings" className="min-h-0 flex-1 overflow-y-auto p-3">
          <SettingsTab draft={draft} kept={kept} onChange={set} />
        </Tabs.Content>
        <Tabs.Content value="agents" className="min-h-0 flex-1 overflow-y-auto p-3">
          <AgentsTab tool={tool} />
        </Tabs.Content>
        <Tabs.Content value="history" className="min-h-0 flex-1 overflow-y-auto p-3">
          {tool && (local || tool.place === "machine") ? (
            <ToolHistory tool={tool} onRestored={() => drop(key)} />
          ) : (
            <p className="text-muted-foreground">
              {t(tool ? "workshop.historyElsewhere" : "workshop.noHistory")}
            </p>
          )}
        </Tabs.Content>
      </Tabs.Root>
      {asking ? (
        <ConfirmAction
          open
          onOpenChange={(open) => !open && setAsking(null)}
          heading={t(`workshop.ask.${asking}`, { name: name ?? "" })}
          explanation={t(`workshop.explain.${asking}.${draft.place}`)}
          submit={t(`workshop.do.${asking}`)}
          variant={asking === "delete" ? "danger" : "primary"}
          // What goes is said first.
          disabled={asking === "replace" && !keptOf.variables}
          onConfirm={() => {
            setAsking(null);
            act[asking]();
          }}
        >
          {asking === "replace" ? <Replacing of={keptOf} by={draft} /> : null}
        </ConfirmAction>
      ) : null}
    </div>
  );
}

type ReplacingProps = { of: ReturnType<typeof useVariables>; by: Draft };

/** What becomes of the variables of the tool that is replaced. */
function Replacing({ of, by }: ReplacingProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  if (!of.variables) {
    return of.error ? <Problem {...failure.of(of.error)} /> : <Spinner aria-label={t("common.loading")} />;
  }
  const { gone, takenOver } = replacing(of.variables, by.grants.variables);
  return (
    <>
      {gone.length > 0 ? (
        <p>
          {t("workshop.replacing.gone")} <Names of={gone} />
        </p>
      ) : null}
      {takenOver.length > 0 ? (
        <p>
          {t("workshop.replacing.takenOver")} <Names of={takenOver} />
        </p>
      ) : null}
    </>
  );
}

function Names({ of }: { of: readonly string[] }) {
  return <span className="font-mono text-xs break-all">{of.join(", ")}</span>;
}

/** The same again as a new tool. What was granted is granted anew. */
function copyOf(draft: Draft): Draft {
  const { grants: _, ...same } = withoutSecrets(draft);
  return { ...newDraft(draft.source_type, draft.source_code), ...same };
}
