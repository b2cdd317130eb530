import { Command } from "cmdk";
import { Bot, type LucideIcon, MessageSquare, MessagesSquare, Search } from "lucide-react";
import { Dialog } from "radix-ui";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { toApiError } from "@/api/error";
import { useLack } from "@/api/use-lack";
import { Spinner } from "@/components/ui/spinner";
import { When } from "@/components/ui/when";
import { useDelayed } from "@/lib/use-delayed";
import { useFailure } from "@/lib/use-failure";
import { stretch } from "./found";
import { useAgentNames, useFoundConversations, useFoundMessages } from "./queries";

/** Something one can do from anywhere. */
export type PaletteCommand = {
  id: string;
  label: string;
  icon: LucideIcon;
  /** The keys that do the same, as one reads them. */
  keys?: string;
  /** Why it cannot be done here. */
  lack?: string | null;
  run: () => void;
};

type PaletteProps = {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  commands: readonly PaletteCommand[];
  /** Opens an agent: where it was left, or at a conversation (`null` is the main one), or at a message of it. */
  onOpen: (agentId: string, conversationId?: string | null, messageId?: string) => void;
};

/** One field for everything: what to do, and what to find. */
export function Palette({ open, onOpenChange, ...rest }: PaletteProps) {
  const { t } = useTranslation();
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 animate-appear bg-black/40" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed top-[12vh] left-1/2 z-50 w-[min(38rem,calc(100vw-2rem))] -translate-x-1/2 overflow-hidden rounded-md border bg-card shadow-xl"
        >
          <Dialog.Title className="sr-only">{t("search.heading")}</Dialog.Title>
          <Field {...rest} onDone={() => onOpenChange(false)} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

type FieldProps = Pick<PaletteProps, "commands" | "onOpen"> & { onDone: () => void };

function Field({ commands, onOpen, onDone }: FieldProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  const [text, setText] = useState("");
  const words = useDelayed(text.trim(), 150);
  const agents = useAgentNames();
  const conversations = useFoundConversations(words);
  const lack = useLack("message_search");
  const messages = useFoundMessages(words, lack === null);
  const nameOf = (agentId: string | null) => agents.data?.find(({ id }) => id === agentId)?.name ?? "";
  const matches = (name: string) => name.toLocaleLowerCase().includes(text.trim().toLocaleLowerCase());
  const act = (run: () => void) => () => {
    onDone();
    run();
  };
  const foundAgents = (agents.data ?? [])
    .filter(({ name, tags }) => matches([name, ...tags].join(" ")))
    .slice(0, 8);
  const foundCommands = commands.filter(({ label }) => matches(label));
  const searching = words.length >= 2;
  const busy = searching && (conversations.isFetching || messages.isFetching);
  return (
    // What matches is decided here: messages match by the store's rules, not by letters.
    <Command shouldFilter={false} loop label={t("search.heading")}>
      <div className="flex items-center gap-2 border-b px-3">
        {busy ? (
          <Spinner aria-hidden />
        ) : (
          <Search aria-hidden className="size-4 shrink-0 text-muted-foreground" />
        )}
        <Command.Input
          value={text}
          onValueChange={setText}
          placeholder={t("search.placeholder")}
          className="h-11 flex-1 bg-transparent text-base outline-none placeholder:text-muted-foreground"
        />
      </div>
      <Command.List className="max-h-[min(26rem,60vh)] overflow-y-auto p-1.5">
        <Command.Empty className="px-2 py-6 text-center text-muted-foreground">
          {t(busy ? "search.looking" : "search.nothing")}
        </Command.Empty>
        <Group heading={t("search.agents")} rows={foundAgents.length}>
          {foundAgents.map(({ id, name, model }) => (
            <Item key={id} value={id} icon={Bot} onSelect={act(() => onOpen(id))}>
              <span className="truncate">{name}</span>
              <span className="ml-auto truncate pl-3 text-xs text-muted-foreground">{model}</span>
            </Item>
          ))}
        </Group>
        <Group heading={t("search.commands")} rows={foundCommands.length}>
          {foundCommands.map(({ id, label, icon, keys, lack, run }) => (
            <Item key={id} value={id} icon={icon} disabled={Boolean(lack)} onSelect={act(run)}>
              <span className={lack ? "shrink-0" : "truncate"}>{label}</span>
              {lack ? <span className="truncate text-xs">{lack}</span> : null}
              {keys ? (
                <kbd className="ml-auto pl-3 font-sans text-xs text-muted-foreground">{keys}</kbd>
              ) : null}
            </Item>
          ))}
        </Group>
        {searching ? (
          <>
            <Group heading={t("search.conversations")} rows={conversations.data?.length ?? 0}>
              {conversations.data?.map(({ id, agent_id, summary }) => (
                <Item key={id} value={id} icon={MessagesSquare} onSelect={act(() => onOpen(agent_id, id))}>
                  <span className="truncate">{summary}</span>
                  <span className="ml-auto shrink-0 pl-3 text-xs text-muted-foreground">
                    {nameOf(agent_id)}
                  </span>
                </Item>
              ))}
            </Group>
            <Group heading={t("search.messages")} rows={messages.data?.length ?? 0}>
              {messages.data?.map((message) => (
                <Item
                  key={message.id}
                  value={message.id}
                  icon={MessageSquare}
                  onSelect={act(() => {
                    if (message.agentId) onOpen(message.agentId, message.conversationId, message.id);
                  })}
                >
                  <span className="flex min-w-0 flex-1 flex-col">
                    <span className="truncate">{stretch(message.text, words)}</span>
                    <span className="flex gap-1.5 text-xs text-muted-foreground">
                      <span className="truncate">
                        {nameOf(message.agentId)} · {t(`search.roles.${message.role}`)}
                      </span>
                      {message.date ? <When date={message.date} className="ml-auto shrink-0" /> : null}
                    </span>
                  </span>
                </Item>
              ))}
            </Group>
            {lack || messages.error ? (
              <p role="status" className="px-2 py-1.5 text-xs text-muted-foreground">
                {lack ?? whyNot(messages.error, t, failure.words(messages.error))}
              </p>
            ) : null}
          </>
        ) : null}
      </Command.List>
    </Command>
  );
}

function whyNot(
  error: unknown,
  t: (key: string, values?: Record<string, string>) => string,
  why: string,
): string {
  const { status } = toApiError(error);
  return status === 404 || status === 405 ? t("search.noMessageSearch") : t("search.messagesFailed", { why });
}

function Group({ heading, rows, children }: { heading: string; rows: number; children: ReactNode }) {
  if (rows === 0) return null;
  return (
    <Command.Group
      heading={heading}
      className="[&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:font-semibold [&_[cmdk-group-heading]]:text-muted-foreground"
    >
      {children}
    </Command.Group>
  );
}

type ItemProps = {
  value: string;
  icon: LucideIcon;
  disabled?: boolean;
  onSelect: () => void;
  children: ReactNode;
};

function Item({ value, icon: Icon, disabled = false, onSelect, children }: ItemProps) {
  return (
    <Command.Item
      value={value}
      disabled={disabled}
      onSelect={onSelect}
      className="flex cursor-pointer items-center gap-2.5 rounded-sm px-2 py-1.5 data-[disabled=true]:cursor-not-allowed data-[disabled=true]:text-muted-foreground data-[selected=true]:bg-accent-soft"
    >
      <Icon aria-hidden className="size-4 shrink-0 text-muted-foreground" />
      {children}
    </Command.Item>
  );
}
