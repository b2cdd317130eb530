import { Check, ChevronsUpDown, PenLine, Plus, Trash2 } from "lucide-react";
import { Popover } from "radix-ui";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Conversation } from "@/api/types";
import { useLack } from "@/api/use-lack";
import { Button } from "@/components/ui/button";
import { ConfirmAction } from "@/components/ui/confirm-action";
import { Input } from "@/components/ui/field";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { When } from "@/components/ui/when";
import { cn } from "@/lib/cn";
import { useFailure } from "@/lib/use-failure";
import {
  useConversations,
  useCreateConversation,
  useDeleteConversation,
  useRenameConversation,
} from "./queries";

type SwitcherProps = {
  agentId: string;
  /** The one on screen; `null` is the main conversation. */
  current: string | null;
  onSelect: (conversationId: string | null) => void;
};

/** From this many conversations on, one can look for one. */
const MANY = 8;

/** Which conversation is on screen, and the way to the others. */
export function ConversationSwitcher({ agentId, current, onSelect }: SwitcherProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  const lack = useLack("conversations");
  const { data: conversations, error, isPending } = useConversations(agentId);
  const create = useCreateConversation(agentId);
  const [open, setOpen] = useState(false);
  const [sought, setSought] = useState("");
  const [deleting, setDeleting] = useState<Conversation | null>(null);
  const shown = conversations?.find(({ id }) => id === current);
  const found = conversations?.filter(({ summary }) =>
    (summary ?? "").toLocaleLowerCase().includes(sought.trim().toLocaleLowerCase()),
  );
  const choose = (conversationId: string | null) => {
    setOpen(false);
    onSelect(conversationId);
  };
  return (
    <>
      <Popover.Root open={open} onOpenChange={(wanted) => setOpen(wanted && lack === null)}>
        <Popover.Trigger asChild>
          <Button
            variant="quiet"
            size="sm"
            lack={lack}
            className="min-w-0 shrink text-sm font-normal text-muted-foreground hover:text-foreground"
          >
            <span className="sr-only">{t("conversations.label")}</span>
            <span className="truncate">{titleOf(current, shown, t)}</span>
            <ChevronsUpDown aria-hidden className="size-3.5 shrink-0" />
          </Button>
        </Popover.Trigger>
        <Popover.Portal>
          <Popover.Content
            align="start"
            sideOffset={4}
            aria-label={t("conversations.heading")}
            className="z-40 flex max-h-[min(28rem,var(--radix-popover-content-available-height))] w-80 max-w-[90vw] animate-appear flex-col rounded-md border bg-card shadow-lg"
          >
            <header className="flex items-center justify-between border-b py-1.5 pr-1.5 pl-3">
              <h2 className="font-semibold">{t("conversations.heading")}</h2>
              <Button
                size="sm"
                disabled={create.isPending}
                onClick={() => create.mutate(undefined, { onSuccess: ({ id }) => choose(id) })}
              >
                <Plus aria-hidden className="size-3.5" />
                {t("conversations.create")}
              </Button>
            </header>
            {(conversations?.length ?? 0) >= MANY ? (
              <div className="px-1.5 pt-1.5">
                <Input
                  type="search"
                  aria-label={t("conversations.search")}
                  placeholder={t("conversations.search")}
                  value={sought}
                  onChange={(event) => setSought(event.target.value)}
                />
              </div>
            ) : null}
            {error || create.error ? (
              <Problem className="m-1.5" {...failure.of(error ?? create.error)} />
            ) : null}
            {isPending ? <Spinner className="m-3" aria-label={t("common.loading")} /> : null}
            <ul className="flex min-h-0 flex-col gap-0.5 overflow-y-auto p-1.5">
              <li>
                <Choice current={current === null} onClick={() => choose(null)}>
                  <span className="truncate">{t("conversations.main")}</span>
                </Choice>
              </li>
              {found?.map((conversation) => (
                <Row
                  key={conversation.id}
                  agentId={agentId}
                  conversation={conversation}
                  current={conversation.id === current}
                  onSelect={() => choose(conversation.id)}
                  onDelete={() => setDeleting(conversation)}
                />
              ))}
              {found?.length === 0 && sought ? (
                <li className="px-2 py-1 text-muted-foreground">{t("conversations.noneFound")}</li>
              ) : null}
            </ul>
          </Popover.Content>
        </Popover.Portal>
      </Popover.Root>
      <DeleteConversation
        agentId={agentId}
        conversation={deleting}
        onClose={() => setDeleting(null)}
        onDeleted={(id) => id === current && onSelect(null)}
      />
    </>
  );
}

function titleOf(
  id: string | null,
  conversation: Conversation | undefined,
  t: (key: string) => string,
): string {
  if (id === null) return t("conversations.main");
  return conversation?.summary || t("conversations.untitled");
}

type ChoiceProps = { current: boolean; onClick: () => void; children: ReactNode };

function Choice({ current, onClick, children }: ChoiceProps) {
  return (
    <button
      type="button"
      aria-current={current || undefined}
      className={cn(
        "flex w-full min-w-0 items-center gap-2 rounded-sm px-2 py-1 text-left",
        current ? "bg-accent-soft" : "hover:bg-muted",
      )}
      onClick={onClick}
    >
      <Check aria-hidden className={cn("size-3.5 shrink-0 text-accent", !current && "invisible")} />
      {children}
    </button>
  );
}

type RowProps = {
  agentId: string;
  conversation: Conversation;
  current: boolean;
  onSelect: () => void;
  onDelete: () => void;
};

function Row({ agentId, conversation, current, onSelect, onDelete }: RowProps) {
  const { t } = useTranslation();
  const rename = useRenameConversation(agentId);
  const [name, setName] = useState<string | null>(null);
  const title = conversation.summary || t("conversations.untitled");
  const save = () => {
    const summary = name?.trim();
    setName(null);
    if (summary && summary !== conversation.summary) rename.mutate({ id: conversation.id, summary });
  };
  if (name !== null) {
    return (
      <li>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            save();
          }}
        >
          <Input
            autoFocus
            aria-label={t("conversations.titleOf", { title })}
            maxLength={200}
            value={name}
            onChange={(event) => setName(event.target.value)}
            onBlur={save}
            onKeyDown={(event) => {
              if (event.key !== "Escape") return;
              event.stopPropagation();
              setName(null);
            }}
          />
        </form>
      </li>
    );
  }
  const last = conversation.last_message_at ?? conversation.created_at;
  return (
    <li className="group relative flex items-center">
      <Choice current={current} onClick={onSelect}>
        <span className="flex min-w-0 flex-1 flex-col">
          <span className="truncate">{title}</span>
          {last ? <When date={last} className="text-xs text-muted-foreground" /> : null}
        </span>
      </Choice>
      <span className="absolute right-1 flex rounded-sm bg-card opacity-0 group-focus-within:opacity-100 group-hover:opacity-100">
        <Button
          size="icon"
          variant="quiet"
          aria-label={t("conversations.rename", { title })}
          title={t("conversations.rename", { title })}
          onClick={() => setName(conversation.summary ?? "")}
        >
          <PenLine aria-hidden className="size-3.5" />
        </Button>
        <Button
          size="icon"
          variant="quiet"
          aria-label={t("conversations.delete", { title })}
          title={t("conversations.delete", { title })}
          onClick={onDelete}
        >
          <Trash2 aria-hidden className="size-3.5" />
        </Button>
      </span>
    </li>
  );
}

type DeleteProps = {
  agentId: string;
  conversation: Conversation | null;
  onClose: () => void;
  onDeleted: (id: string) => void;
};

function DeleteConversation({ agentId, conversation, onClose, onDeleted }: DeleteProps) {
  const { t } = useTranslation();
  const remove = useDeleteConversation(agentId);
  if (!conversation) return null;
  const title = conversation.summary || t("conversations.untitled");
  return (
    <ConfirmAction
      open
      onOpenChange={(open) => !open && onClose()}
      heading={t("conversations.deleteHeading", { title })}
      explanation={t("conversations.deleteExplanation")}
      submit={t("conversations.deleteSubmit")}
      action={remove}
      onConfirm={() =>
        remove.mutate(conversation.id, {
          onSuccess: () => {
            onClose();
            onDeleted(conversation.id);
          },
        })
      }
    />
  );
}
