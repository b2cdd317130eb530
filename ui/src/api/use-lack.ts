import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
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
  const reasonOf = useReason();
  const { name, lacks } = useLacks();
  const lack = lacks.find((each) => each.feature === feature);
  return lack ? reasonOf(lack, name) : null;
}

type Lack = { feature: string; reason: string };

/** The reason in the person's language; what this window does not know is said in the desk's words. */
export function useReason(): (lack: Lack, server: string) => string {
  const { t } = useTranslation();
  return ({ feature, reason }, name) => t(`lacks.${feature}`, { name, defaultValue: reason });
}

const NONE: { name: string; lacks: readonly Lack[] } = { name: "", lacks: [] };

function useLacks() {
  const isLocal = useIsLocal();
  const { data } = useQuery({ ...connectionsQuery(useApi()), enabled: !isLocal });
  if (isLocal) return NONE;
  return data?.find(({ selected }) => selected) ?? NONE;
}
