import { useQuery } from "@tanstack/react-query";
import { useApi } from "./context";
import { statusQuery } from "./queries";

/** Whether the agents on screen are this machine's own. What Loci keeps beside the API is kept for these only. */
export function useIsLocal(): boolean {
  const { data } = useQuery(statusQuery(useApi()));
  return (data?.connection ?? "local") === "local";
}
