import {
  keepPreviousData,
  type QueryClient,
  queryOptions,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { type Api, unwrap } from "@/api/client";
import { useApi } from "@/api/context";
import { keys } from "@/api/queries";
import type { Tool } from "@/api/types";
import { useIsLocal } from "@/api/use-local";
import type { OwnTool } from "@/api/workbench";
import type { JsonSchema } from "@/components/ui/schema-form";
import {
  type Draft,
  grantsBody,
  ownBody,
  type Place,
  type SourceType,
  type StoredGrants,
  type StoredTool,
  toolBody,
  type Variable,
  variablesBody,
  variablesOf,
} from "./draft";
import { useDrafts } from "./drafts";

type Kept = Pick<StoredTool, "id" | "place">;

/** What is known of one tool: it is read again with the list the tool stands in. */
export const keyOf = ({ id, place }: Kept, what: string) => [
  ...(place === "machine" ? keys.ownTools() : keys.allTools()),
  id,
  what,
];

/** What the desk keeps beside a tool; the same for those of both places. */
const path = ({ id, place }: Kept, what: string) =>
  `/workbench/${place === "machine" ? "own-tools" : "tools"}/${encodeURIComponent(id)}/${what}`;

export function useTools() {
  const api = useApi();
  return useQuery({
    queryKey: keys.allTools(),
    queryFn: () => unwrap(api.v1.GET("/v1/tools/", { params: { query: { limit: 1000 } } })),
  });
}

const grantsQuery = (api: Api, id: string) => {
  const tool = { id, place: "server" } as const;
  return queryOptions({
    queryKey: keyOf(tool, "settings"),
    queryFn: () => api.json<StoredGrants>("GET", path(tool, "settings")),
  });
};

/** Nothing where the tool is kept by another server, or in none: then nothing is granted from here. */
export function useGrants(id: string | null) {
  const local = useIsLocal();
  return useQuery({ ...grantsQuery(useApi(), id ?? ""), enabled: local && id !== null });
}

/** The variables kept beside a tool of either place; undefined until they are known. */
export function useVariables(tool: StoredTool | null): { variables?: readonly Variable[]; error: unknown } {
  const local = useIsLocal();
  const grants = useGrants(tool?.place === "server" ? tool.id : null);
  const written = useWrittenTools();
  if (tool === null || (tool.place === "server" && !local)) return { variables: NONE, error: null };
  const { error, data } =
    tool.place === "server" ? grants : { ...written, data: written.data?.find(({ id }) => id === tool.id) };
  return { error, ...(data ? { variables: variablesOf(data) } : {}) };
}

const NONE: readonly Variable[] = [];

export type DerivedSchema = { name: string; description?: string; parameters?: JsonSchema };

/** The schema of what is written now; its error says where the source is wrong. Each place derives its own. */
export function useSchema(place: Place, source_type: SourceType, code: string) {
  const api = useApi();
  return useQuery({
    queryKey: ["schema", place, source_type, code],
    queryFn: () =>
      place === "machine"
        ? api.json<DerivedSchema>("POST", "/workbench/tools/schema", { source_code: code, source_type })
        : api.json<DerivedSchema>("POST", "/v1/tools/generate-schema", { code, source_type }),
    enabled: code.trim() !== "",
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    retry: false,
  });
}

/** The client tools this person wrote; they are here whatever server is in use. */
export function useWrittenTools() {
  const api = useApi();
  return useQuery({
    queryKey: keys.ownTools(),
    queryFn: () => api.json<OwnTool[]>("GET", "/workbench/own-tools"),
  });
}

type Saving = {
  /** What the draft is kept under. */
  key: string;
  /** The tool it is written over; by its name where that is null. */
  id: string | null;
  draft: Draft;
};

/** Stores a draft, which then is one no longer, whoever looks on. What stays on this machine follows the source. */
export function useSaveTool() {
  const api = useApi();
  const local = useIsLocal();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ key, id, draft }: Saving) => {
      const tool = await storeSource(api, id, draft);
      const stored = async (done: Draft | null) => {
        await reread(queries);
        // Known before it is shown, so that nothing that is open has to wait for it.
        if (draft.place === "server" && local) await queries.prefetchQuery(grantsQuery(api, tool.id));
        useDrafts.getState().stored(key, tool.id, done);
      };
      try {
        await storeGrants(api, { ...tool, place: draft.place }, draft, local);
      } catch (failed) {
        await stored(null);
        throw failed;
      }
      await stored(draft);
    },
  });
}

function storeSource(api: Api, id: string | null, draft: Draft): Promise<{ id: string }> {
  if (draft.place === "machine") {
    const own = ownBody(draft);
    return id === null
      ? api.json<OwnTool>("POST", "/workbench/own-tools", own)
      : api.json<OwnTool>("PATCH", ownPath(id), own);
  }
  const body = toolBody(draft);
  return id === null
    ? api.json<Tool>("PUT", "/v1/tools/", body)
    : api.json<Tool>("PATCH", `/v1/tools/${encodeURIComponent(id)}`, body);
}

async function storeGrants(api: Api, tool: Kept, { grants }: Draft, local: boolean): Promise<void> {
  if (tool.place === "machine") {
    await api.json("PUT", path(tool, "variables"), variablesBody(grants.variables));
  } else if (local) {
    await api.json("PUT", path(tool, "settings"), grantsBody(grants));
  }
}

const ownPath = (id: string) => `/workbench/own-tools/${encodeURIComponent(id)}`;

/** The lists of both places. */
function reread(queries: QueryClient) {
  return Promise.all([
    queries.invalidateQueries({ queryKey: keys.allTools() }),
    queries.invalidateQueries({ queryKey: keys.ownTools() }),
  ]);
}

export function useDeleteTool() {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, place }: StoredTool) =>
      api.json("DELETE", place === "machine" ? ownPath(id) : `/v1/tools/${encodeURIComponent(id)}`),
    onSuccess: (_, { id }) => {
      useDrafts.getState().gone(id);
      return reread(queries);
    },
  });
}

export type ToolVersion = {
  version: number;
  at: string;
  name: string | null;
  source_type: string | null;
  source_code: string | null;
};

export function useToolVersions(tool: StoredTool) {
  const api = useApi();
  const local = useIsLocal();
  return useQuery({
    queryKey: keyOf(tool, "versions"),
    queryFn: () => api.json<ToolVersion[]>("GET", `${path(tool, "versions")}?limit=100`),
    enabled: local || tool.place === "machine",
  });
}

export function useRestoreTool(tool: StoredTool) {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (version: number) => api.json("POST", path(tool, `versions/${version}/restore`)),
    onSuccess: () => reread(queries),
  });
}

export type TestRun = {
  name: string | null;
  arguments: Record<string, unknown>;
  status: "success" | "error";
  result: string;
  duration_ms: number;
  at: string;
};

/** What trials of source are listed with that is kept nowhere yet. */
const NEW: Kept = { id: "new", place: "server" };

export const runsKey = (tool: StoredTool | null) => keyOf(tool ?? NEW, "runs");

/** Earlier trials, newest first. */
export function useTestRuns(tool: StoredTool | null) {
  const api = useApi();
  return useQuery({
    queryKey: runsKey(tool),
    queryFn: () => api.json<TestRun[]>("GET", `${path(tool ?? NEW, "runs")}?limit=100`),
  });
}

export type Interpreter = { program: string; version: string } | null;
export type Interpreters = {
  python: Interpreter;
  python_error?: string | null;
  node: Interpreter;
  node_error?: string | null;
  installers: string[];
};

export function useInterpreters() {
  const api = useApi();
  return useQuery({
    queryKey: ["interpreters"],
    queryFn: () => api.json<Interpreters>("GET", "/workbench/tools/interpreters"),
    staleTime: 60_000,
  });
}
