// Trying a tool out: what it prints while it runs, and what came of it.
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { useApi } from "@/api/context";
import { type ApiError, toApiError } from "@/api/error";
import { readFrames } from "@/run/events";
import { type Draft, grantsBody, type StoredTool } from "./draft";
import { runsKey } from "./queries";

/** The walls it ran behind, as they were in force, and the holes in them. */
export type Confinement = {
  landlock?: unknown;
  seccomp?: boolean;
  network_granted?: boolean;
  network_blocked?: boolean;
  signals_scoped?: boolean;
  processes?: number | null;
  memory_bytes?: number | null;
  root?: boolean;
  gaps?: string[];
};

export type TrialResult = {
  status: "success" | "error";
  value: unknown;
  /** All of it, the traceback of a failure included. */
  stderr?: string[];
  changed_blocks?: Record<string, string> | null;
  confinement: Confinement;
  duration_ms: number;
};

export type Line = { kind: "stdout" | "stderr" | "install"; text: string };

export type Trial = {
  running: boolean;
  lines: Line[];
  result: TrialResult | null;
  error: ApiError | null;
};

const NOT_TRIED: Trial = { running: false, lines: [], result: null, error: null };
/** Characters of output that are shown; the newest stay. */
const MOST = 200_000;

export function useTrial(tool: StoredTool | null) {
  const api = useApi();
  const queries = useQueryClient();
  const [trial, setTrial] = useState(NOT_TRIED);
  const over = useRef<AbortController | null>(null);
  useEffect(() => () => over.current?.abort(), []);

  const run = useCallback(
    async (draft: Draft, name: string | null, agentId: string | null, args: Record<string, unknown>) => {
      over.current?.abort();
      const mine = new AbortController();
      over.current = mine;
      setTrial({ ...NOT_TRIED, running: true });
      const change = (next: (before: Trial) => Trial) => {
        if (over.current === mine) setTrial(next);
      };
      try {
        const answer = await api.stream(
          "POST",
          "/workbench/tools/run",
          {
            ...trialBody(tool?.id ?? null, draft, name, args),
            ...(agentId === null ? {} : { agent_id: agentId }),
          },
          mine.signal,
        );
        for await (const { data } of readFrames(answer.body)) change((before) => applyEvent(before, data));
      } catch (thrown) {
        if (!mine.signal.aborted) change((before) => ({ ...before, error: toApiError(thrown) }));
      }
      change((before) => ({ ...before, running: false }));
      await queries.invalidateQueries({ queryKey: runsKey(tool) });
    },
    [api, queries, tool],
  );
  return { trial, run, stop: () => over.current?.abort() };
}

/** With what was typed as secrets just now; those stored are added by the desk. */
function trialBody(toolId: string | null, draft: Draft, name: string | null, args: Record<string, unknown>) {
  const { network, timeout_seconds, memory_mb, env, secrets } = grantsBody(draft.grants);
  const typed = Object.entries(secrets).filter(([, value]) => value !== null);
  return {
    source_code: draft.source_code,
    source_type: draft.source_type,
    ...(name === null ? {} : { name }),
    args,
    ...(toolId === null ? {} : { tool_id: toolId }),
    env_vars: { ...env, ...Object.fromEntries(typed) },
    pip_requirements: draft.pip,
    npm_requirements: draft.npm,
    network,
    ...(timeout_seconds === null ? {} : { timeout_seconds }),
    ...(memory_mb === null ? {} : { memory_mb }),
  };
}

/** What an event of the trial adds. Events not known here add nothing. */
export function applyEvent(before: Trial, data: string): Trial {
  let event: Record<string, unknown>;
  try {
    event = JSON.parse(data) as Record<string, unknown>;
  } catch {
    return before;
  }
  const said = (kind: Line["kind"], text: unknown) => ({
    ...before,
    lines: typeof text === "string" ? added(before.lines, kind, text) : before.lines,
  });
  switch (event.type) {
    case "stdout":
      return said("stdout", event.text);
    case "stderr":
      return said("stderr", event.text);
    case "installing":
      return said("install", `${String(event.packages)}\n`);
    case "install_line":
      return said("install", `${String(event.line)}\n`);
    case "result": {
      const result = event as unknown as TrialResult;
      const { lines } = said("stderr", unsaid(before.lines, result.stderr ?? []));
      return { ...before, lines, result };
    }
    default:
      return before;
  }
}

/** What of the error output did not come while it ran: the traceback. */
function unsaid(lines: readonly Line[], stderr: readonly string[]): string | null {
  const whole = stderr.join("");
  const told = lines
    .filter(({ kind }) => kind === "stderr")
    .map(({ text }) => text)
    .join("");
  const rest = whole.startsWith(told) ? whole.slice(told.length) : whole;
  return rest.trim() === "" ? null : rest;
}

function added(lines: readonly Line[], kind: Line["kind"], text: string): Line[] {
  const last = lines.at(-1);
  const joined =
    last?.kind === kind
      ? [...lines.slice(0, -1), { kind, text: (last.text + text).slice(-MOST) }]
      : [...lines, { kind, text: text.slice(-MOST) }];
  return joined.slice(-200);
}
