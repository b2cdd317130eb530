import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import type { AuditEntry, PendingCall, Rehearsal, Remember, Rule, Verdict } from "@/api/approvals";
import { useApi } from "@/api/context";
import { approvalsQuery, keys } from "@/api/queries";

export function useApprovals() {
  return useQuery(approvalsQuery(useApi()));
}

/** Says what a rule made of a waiting call would be. */
export function useRehearseCall(messageId: string) {
  const api = useApi();
  return useCallback(
    (call: PendingCall, remember: Remember) =>
      api.json<Rehearsal>("POST", "/workbench/rules/rehearse", {
        effect: "allow",
        remember,
        message_id: messageId,
        tool_call_id: call.tool_call_id,
      }),
    [api, messageId],
  );
}

export function useRules(revoked: boolean) {
  const api = useApi();
  return useQuery({
    queryKey: [...keys.rules(), revoked],
    queryFn: () => api.json<Rule[]>("GET", `/workbench/rules${revoked ? "?revoked=true" : ""}`),
  });
}

export type NewRule = { text: string; note?: string };

export function useAddRule() {
  const api = useApi();
  const reread = useReread();
  return useMutation({
    mutationFn: (rule: NewRule) => api.json<Rule>("POST", "/workbench/rules", rule),
    onSuccess: reread,
  });
}

export function useRevokeRule() {
  const api = useApi();
  const reread = useReread();
  return useMutation({
    mutationFn: (id: string) => api.json<Rule>("DELETE", `/workbench/rules/${encodeURIComponent(id)}`),
    onSuccess: reread,
  });
}

/** A rule changes what waits, too. */
function useReread() {
  const queries = useQueryClient();
  return () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: keys.rules() }),
      queries.invalidateQueries({ queryKey: keys.approvals() }),
    ]);
}

/** What a rule says and what it would have matched; the error says where its text is wrong. */
export function useRehearsal(text: string) {
  const api = useApi();
  return useQuery({
    queryKey: [...keys.rules(), "rehearsal", text],
    queryFn: () => api.json<Rehearsal>("POST", "/workbench/rules/rehearse", { text }),
    enabled: text.trim() !== "",
    retry: false,
  });
}

export type RuleTest = { tool: string; arguments: string; agent_id?: string };

export function useTestRules() {
  const api = useApi();
  return useMutation({
    mutationFn: (call: RuleTest) => api.json<Verdict>("POST", "/workbench/rules/test", call),
  });
}

export type AuditFilter = { agent_id: string; tool: string; event: string; decided_by: string };

/** The path of the log with what is wanted of it; empty wishes are left out. */
export function auditPath(filter: AuditFilter, more: Record<string, string> = {}): string {
  const wanted = Object.entries({ ...filter, ...more }).filter(([, value]) => value !== "");
  return `/workbench/audit?${new URLSearchParams(wanted)}`;
}

const PAGE = 100;

/** The log, newest first. */
export function useAudit(filter: AuditFilter) {
  const api = useApi();
  return useInfiniteQuery({
    queryKey: [...keys.approvals(), "audit", filter],
    initialPageParam: null as number | null,
    queryFn: ({ pageParam }) =>
      api.json<AuditEntry[]>(
        "GET",
        auditPath(filter, {
          order: "desc",
          limit: String(PAGE),
          // The list begins with the newest: going on means what is older.
          ...(pageParam === null ? {} : { before: String(pageParam) }),
        }),
      ),
    getNextPageParam: (page) => (page.length === PAGE ? page.at(-1)?.sequence : undefined),
  });
}
