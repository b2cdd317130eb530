import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { unwrap } from "@/api/client";
import { useApi } from "@/api/context";
import { approvalsQuery, keys } from "@/api/queries";
import type { Approval } from "@/api/workbench";
import { decodeMessage, type Message } from "@/run/events";
import { storedKeys } from "@/run/reducer";
import type { RunSession } from "@/run/session";

const PAGE = 100;

/** The stored messages, oldest first, as far back as was asked for. */
export function useHistory(agentId: string) {
  const api = useApi();
  const query = useInfiniteQuery({
    queryKey: keys.messages(agentId),
    initialPageParam: null as string | null,
    // This route prints the newest page oldest first, and `before` means earlier in time.
    queryFn: ({ pageParam }) =>
      unwrap(
        api.v1.GET("/v1/agents/{agent_id}/messages", {
          params: {
            path: { agent_id: agentId },
            query: {
              limit: PAGE,
              order: "desc",
              include_err: true,
              ...(pageParam ? { before: pageParam } : {}),
            },
          },
        }),
      ) as Promise<unknown[]>,
    getNextPageParam: (page) => {
      const first = page[0];
      return first === undefined ? undefined : decodeMessage(first).id || undefined;
    },
  });
  const messages = useMemo(
    (): Message[] => (query.data?.pages ?? []).toReversed().flatMap((page) => page.map(decodeMessage)),
    [query.data],
  );
  return { ...query, messages };
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
