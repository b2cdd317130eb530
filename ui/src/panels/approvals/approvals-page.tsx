import { useQuery } from "@tanstack/react-query";
import { Tabs } from "radix-ui";
import { useTranslation } from "react-i18next";
import { type Approval, asksSomebody } from "@/api/approvals";
import { useApi } from "@/api/context";
import { connectionsQuery, statusQuery } from "@/api/queries";
import { QueryState } from "@/components/agent/query-state";
import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Problem } from "@/components/ui/problem";
import { When } from "@/components/ui/when";
import { useFailure } from "@/lib/use-failure";
import { useRun } from "@/run/use-run";
import { AuditLog } from "./audit-log";
import { PendingCard } from "./pending-card";
import { useApprovals } from "./queries";
import { RulesList } from "./rules-list";

type ApprovalsPageProps = {
  /** Shows the conversation a request belongs to. */
  onOpen: (agentId: string, conversationId: string | null) => void;
};

const TABS = ["inbox", "rules", "log"] as const;

/** Everything that waits for a person, what was decided for good, and what was ever decided. */
export function ApprovalsPage({ onOpen }: ApprovalsPageProps) {
  const { t } = useTranslation();
  return (
    <section
      aria-labelledby="approvals-heading"
      className="mx-auto flex w-full max-w-[860px] flex-col gap-4 p-6"
    >
      <h1 id="approvals-heading" tabIndex={-1} className="text-lg font-semibold">
        {t("approvals.heading")}
      </h1>
      <Tabs.Root defaultValue="inbox" className="flex flex-col gap-4">
        <Tabs.List aria-label={t("approvals.heading")} className="flex gap-1 border-b">
          {TABS.map((name) => (
            <Tabs.Trigger
              key={name}
              value={name}
              className="-mb-px border-b-2 border-transparent px-2.5 py-2 font-medium text-muted-foreground hover:text-foreground data-[state=active]:border-accent data-[state=active]:text-foreground"
            >
              {t(`approvals.tabs.${name}`)}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        <Tabs.Content value="inbox">
          <Inbox onOpen={onOpen} />
        </Tabs.Content>
        <Tabs.Content value="rules">
          <RulesList />
        </Tabs.Content>
        <Tabs.Content value="log">
          <AuditLog />
        </Tabs.Content>
      </Tabs.Root>
    </section>
  );
}

function Inbox({ onOpen }: ApprovalsPageProps) {
  const { t } = useTranslation();
  const { data, error, isPending, refetch } = useApprovals();
  const waiting = data?.filter(asksSomebody);
  return (
    <div className="flex flex-col gap-4">
      <QueryState isPending={isPending} error={error} refetch={refetch} />
      {waiting?.length === 0 ? <Empty heading={t("approvals.nothing")} /> : null}
      <ul className="flex flex-col gap-5">
        {waiting?.map((approval) => (
          <li key={approval.id}>
            <Waiting approval={approval} onOpen={onOpen} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function Waiting({ approval, onOpen }: { approval: Approval } & ApprovalsPageProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  const { state, session } = useRun(approval.agent_id, approval.conversation_id);
  const api = useApi();
  const here = useQuery(statusQuery(api)).data?.connection ?? "local";
  const connections = useQuery(connectionsQuery(api)).data;
  const on = approval.connection ?? "local";
  const name = connections?.find(({ id }) => id === on)?.name ?? on;
  return (
    <div className="flex flex-col gap-1.5">
      <div className="flex items-center gap-2 text-xs text-muted-foreground">
        <span className="flex-1">
          {t("approvals.since")} <When date={approval.created_at} />
          {on === "local" ? "" : ` · ${name}`}
        </span>
        <Button
          size="sm"
          variant="quiet"
          lack={on === here ? null : t("approvals.elsewhere", { connection: name })}
          onClick={() => onOpen(approval.agent_id, approval.conversation_id)}
        >
          {t("approvals.open", { agent: approval.agent_name })}
        </Button>
      </div>
      {state.failure ? (
        <Problem {...failure.from(state.failure)}>
          <Button size="sm" variant="quiet" onClick={session.dismissFailure}>
            {t("common.dismiss")}
          </Button>
        </Problem>
      ) : null}
      <PendingCard
        approval={approval}
        className="max-h-none"
        onLeave={() => document.getElementById("approvals-heading")?.focus()}
      />
    </div>
  );
}
