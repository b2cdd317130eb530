import { Tabs } from "radix-ui";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Agent, AgentUpdate } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { useFailure } from "@/lib/use-failure";
import { useAgent, useUpdateAgent } from "./queries";
import { CompactionSection } from "./settings/compaction";
import { type SectionProps, withDraft } from "./settings/draft";
import { GeneralSection } from "./settings/general";
import { InstructionsSection } from "./settings/instructions";
import { ModelSection } from "./settings/model";
import { RulesSection } from "./settings/rules";
import { SecretsSection } from "./settings/secrets";

const SECTIONS = {
  general: GeneralSection,
  model: ModelSection,
  instructions: InstructionsSection,
  rules: RulesSection,
  secrets: SecretsSection,
  compaction: CompactionSection,
} satisfies Record<string, (props: SectionProps) => unknown>;

type Section = keyof typeof SECTIONS;
const NAMES = Object.keys(SECTIONS) as Section[];

type AgentSettingsProps = { agentId: string; onClose: () => void };

export function AgentSettings({ agentId, onClose }: AgentSettingsProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  const { data: agent, error } = useAgent(agentId);
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent
        heading={t("agentSettings.heading", { name: agent?.name ?? "" })}
        className="h-[min(40rem,90vh)] w-[min(46rem,calc(100vw-2rem))]"
      >
        {error ? <Problem {...failure.of(error)} /> : null}
        {agent ? <Form agent={agent} onClose={onClose} /> : null}
        {!agent && !error ? <Spinner className="m-auto" aria-label={t("common.loading")} /> : null}
      </DialogContent>
    </Dialog>
  );
}

function Form({ agent, onClose }: { agent: Agent; onClose: () => void }) {
  const { t } = useTranslation();
  const failure = useFailure();
  const update = useUpdateAgent(agent.id);
  const [section, setSection] = useState<string>("general");
  const [draft, setDraft] = useState<Partial<AgentUpdate>>({});
  const change = (more: Partial<AgentUpdate>) => setDraft((before) => ({ ...before, ...more }));
  const changed = Object.keys(draft).length > 0;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (changed) update.mutate(draft, { onSuccess: onClose });
  };
  return (
    <form
      className="flex min-h-0 flex-1 flex-col gap-4"
      onSubmit={submit}
      // What keeps it from being saved must be in sight to be said.
      onInvalidCapture={({ target }) => {
        const within = target instanceof Element ? target.closest<HTMLElement>("[data-section]") : null;
        if (within?.dataset.section) setSection(within.dataset.section);
      }}
    >
      <Tabs.Root
        value={section}
        onValueChange={setSection}
        orientation="vertical"
        className="flex min-h-0 flex-1 gap-5 max-[640px]:flex-col"
      >
        <Tabs.List
          aria-label={t("agentSettings.sections")}
          className="flex w-36 shrink-0 flex-col gap-0.5 max-[640px]:w-full max-[640px]:flex-row max-[640px]:flex-wrap"
        >
          {NAMES.map((name) => (
            <Tabs.Trigger
              key={name}
              value={name}
              className="rounded-md px-2 py-1.5 text-left font-medium text-muted-foreground hover:bg-muted hover:text-foreground data-[state=active]:bg-accent-soft data-[state=active]:text-foreground"
            >
              {t(`agentSettings.section.${name}`)}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        {NAMES.map((name) => {
          const Section = SECTIONS[name];
          return (
            <Tabs.Content
              key={name}
              value={name}
              forceMount
              hidden={name !== section}
              data-section={name}
              className="flex min-h-0 min-w-0 flex-1 flex-col gap-4 overflow-y-auto p-0.5 [&[hidden]]:hidden"
            >
              <Section agent={withDraft(agent, draft)} change={change} />
            </Tabs.Content>
          );
        })}
      </Tabs.Root>
      {update.error ? <Problem {...failure.of(update.error)} /> : null}
      <footer className="flex items-center justify-end gap-2 border-t pt-4">
        {changed ? (
          <p role="status" className="mr-auto text-xs text-muted-foreground">
            {t("agentSettings.unsaved")}
          </p>
        ) : null}
        <Button onClick={onClose}>{t("common.cancel")}</Button>
        <Button type="submit" variant="primary" disabled={!changed || update.isPending}>
          {t("agentSettings.save")}
        </Button>
      </footer>
    </form>
  );
}
