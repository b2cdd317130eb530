import { useQuery } from "@tanstack/react-query";
import { useApi } from "./context";
import { connectionsQuery } from "./queries";
import { useIsLocal } from "./use-local";

/** What a server may lack, by the name the desk has for it (`crates/workbench/src/connections/features.rs`). */
export type Feature =
  | "archival"
  | "backup"
  | "block_history"
  | "client_tools"
  | "compaction"
  | "context"
  | "conversation_fork"
  | "conversations"
  | "message_search"
  | "run_cancel"
  | "run_steps"
  | "runs"
  | "step_trace";

/** Why the server in use cannot do this; `null` as long as nothing is known against it. */
export function useLack(feature: Feature): string | null {
  const lacks = useLacks();
  return lacks.find((lack) => lack.feature === feature)?.reason ?? null;
}

const NONE: readonly { feature: string; reason: string }[] = [];

function useLacks() {
  const isLocal = useIsLocal();
  const { data } = useQuery({ ...connectionsQuery(useApi()), enabled: !isLocal });
  if (isLocal) return NONE;
  return data?.find(({ selected }) => selected)?.lacks ?? NONE;
}
