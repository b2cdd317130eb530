import { useQuery } from "@tanstack/react-query";
import { useApi } from "./context";
import { connectionsQuery } from "./queries";
import { useIsLocal } from "./use-local";

/** Why the server in use cannot do this, by the name the desk has for it; `null` as long as nothing is known against it. */
export function useLack(feature: string): string | null {
  const isLocal = useIsLocal();
  const { data } = useQuery({ ...connectionsQuery(useApi()), enabled: !isLocal });
  if (isLocal) return null;
  const lacks = data?.find(({ selected }) => selected)?.lacks ?? [];
  return lacks.find((lack) => lack.feature === feature)?.reason ?? null;
}
