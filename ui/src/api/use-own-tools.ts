import { useQuery } from "@tanstack/react-query";
import { useApi } from "./context";
import { clientToolsQuery } from "./queries";
import { useLack } from "./use-lack";
import type { ClientTool } from "./workbench";

const NONE: readonly ClientTool[] = [];

/** The tools of this machine that go along with each message to an agent; none where the server takes none. */
export function useOwnTools(agentId: string): { tools: readonly ClientTool[]; known: boolean } {
  const lack = useLack("client_tools");
  const { data, isSuccess } = useQuery(clientToolsQuery(useApi(), agentId));
  if (lack !== null) return { tools: NONE, known: true };
  return { tools: data?.tools ?? NONE, known: isSuccess };
}
