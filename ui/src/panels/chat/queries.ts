import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { type Api, unwrap } from "@/api/client";
import { useApi } from "@/api/context";
import { approvalsQuery, keys } from "@/api/queries";
import type { Approval } from "@/api/workbench";
import { decodeMessage, type Message } from "@/run/events";
import { storedKeys } from "@/run/reducer";
import type { RunSession } from "@/run/session";
import { type History, withEarlier, withNewest } from "./history";

const PAGE = 100;

/** The stored messages, oldest first, as far back as was asked for. */
export function useHistory(agentId: string) {
  const api = useApi();
  const queries = useQueryClient();
  const queryKey = keys.messages(agentId);
  const query = useQuery({
    queryKey,
    queryFn: async () => {
      const newest = await readPage(api, agentId);
      return withNewest(queries.getQueryData<History>(queryKey), newest);
    },
  });
  const mutationKey = [...queryKey, "earlier"];
  const earlier = useMutation({
    mutationKey,
    mutationFn: async (): Promise<Message[]> => {
      const first = queries.getQueryData<History>(queryKey)?.messages[0];
      return first ? readPage(api, agentId, first.id) : [];
    },
    onSuccess: (page) => {
      queries.setQueryData<History>(queryKey, (held) => held && withEarlier(held, page));
    },
  });
  return {
    ...query,
    messages: query.data?.messages ?? NONE,
    more: query.data?.more ?? false,
    earlier,
    // Scrolling asks many times before the first answer is drawn.
    fetchEarlier: () => {
      if (queries.isMutating({ mutationKey }) === 0) earlier.mutate();
    },
  };
}

const NONE: Message[] = [];

/** This route prints the newest of a page last, and `before` means earlier in time. */
async function readPage(api: Api, agentId: string, before?: string): Promise<Message[]> {
  const page = await unwrap(
    api.v1.GET("/v1/agents/{agent_id}/messages", {
      params: {
        path: { agent_id: agentId },
        query: { limit: PAGE, order: "desc", include_err: true, ...(before ? { before } : {}) },
      },
    }),
  );
  return (page as unknown[]).map(decodeMessage);
}

/** The requests of one agent that wait for a person, oldest first. */
export function useAgentApprovals(agentId: string): { approvals: Approval[]; unsure: boolean } {
  const { data, isFetching } = useQuery(approvalsQuery(useApi()));
  const approvals = useMemo(
    () => (data ?? []).filter((approval) => approval.agent_id === agentId),
    [data, agentId],
  );
  return { approvals, unsure: isFetching };
}

/** Follows a run that someone else started, or this window before it was closed; and lets go of what is stored. */
export function useCatchUp(agentId: string, session: RunSession, messages: readonly Message[]) {
  const api = useApi();
  const { data: runs } = useQuery({
    queryKey: keys.activeRuns(agentId),
    queryFn: () =>
      unwrap(api.v1.GET("/v1/runs/", { params: { query: { agent_id: agentId, active: true, limit: 1 } } })),
  });
  const run = runs?.[0];
  useEffect(() => {
    // Only background runs can be followed; the last run of this session is known to have been.
    if (run?.id && run.background && run.id !== session.getState().runId) session.follow(run.id);
  }, [run, session]);
  useEffect(() => {
    if (messages.length > 0) session.settle(storedKeys(messages));
  }, [messages, session]);
}
