import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ClipboardCopy, Ellipsis, FoldVertical, Settings2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import { keys } from "@/api/queries";
import { useLack } from "@/api/use-lack";
import { Button } from "@/components/ui/button";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { Menu, MenuContent, MenuItem, MenuTrigger } from "@/components/ui/menu";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { useFailure } from "@/lib/use-failure";
import { conversationMarkdown } from "@/run/markdown";
import { project } from "@/run/project";
import type { Thread } from "@/run/thread";
import { readAll } from "./queries";

type ConversationMenuProps = { thread: Thread; agentName: string; onSettings: () => void };

/** What can be done with the conversation as a whole. */
export function ConversationMenu({ thread, agentName, onSettings }: ConversationMenuProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  const copy = useCopy(thread, agentName);
  const compact = useCompact(thread);
  const lack = useLack("compaction");
  const busy = copy.isPending || compact.isPending;
  const error = copy.error ?? compact.error;
  return (
    <>
      <Menu modal={false}>
        <MenuTrigger asChild>
          <Button size="icon" variant="quiet" aria-label={t("chat.more")} title={t("chat.more")}>
            {busy ? <Spinner /> : <Ellipsis aria-hidden className="size-4" />}
          </Button>
        </MenuTrigger>
        <MenuContent>
          <MenuItem disabled={busy} onSelect={() => copy.mutate()}>
            <ClipboardCopy aria-hidden className="size-3.5" />
            {t("chat.copyAll")}
          </MenuItem>
          <MenuItem lack={lack} disabled={busy} onSelect={() => compact.mutate()}>
            <FoldVertical aria-hidden className="size-3.5" />
            {t("chat.compact")}
          </MenuItem>
          <MenuItem onSelect={onSettings}>
            <Settings2 aria-hidden className="size-3.5" />
            {t("chat.settings")}
          </MenuItem>
        </MenuContent>
      </Menu>
      <span role="status" className="sr-only">
        {copy.isSuccess ? t("copy.copied") : null}
        {compact.isPending ? t("message.compaction") : null}
      </span>
      {error ? (
        <Dialog
          open
          onOpenChange={() => {
            copy.reset();
            compact.reset();
          }}
        >
          <DialogContent heading={t(copy.error ? "chat.copyAll" : "chat.compact")}>
            <Problem {...failure.of(error)} />
          </DialogContent>
        </Dialog>
      ) : null}
    </>
  );
}

/** The whole conversation as Markdown in the clipboard, also what has not been scrolled to. */
function useCopy(thread: Thread, agentName: string) {
  const { t } = useTranslation();
  const api = useApi();
  return useMutation({
    mutationFn: async () => {
      const turns = project(await readAll(api, thread), [], { active: false, waiting: new Set() });
      const labels = { you: t("message.you"), agent: agentName, summary: t("message.summary") };
      await navigator.clipboard.writeText(conversationMarkdown(turns, labels));
    },
  });
}

/** Has the older part summarised now, before it must be. */
function useCompact({ agentId, conversationId }: Thread) {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () =>
      api.json(
        "POST",
        `/v1/conversations/${encodeURIComponent(conversationId ?? "default")}/compact`,
        conversationId === null ? { agent_id: agentId } : {},
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["agent", agentId] }),
    onSettled: () => queries.invalidateQueries({ queryKey: keys.messages(agentId, conversationId) }),
  });
}
