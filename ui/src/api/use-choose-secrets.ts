import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useApi } from "./context";
import { keys } from "./queries";
import type { SecretPlace } from "./workbench";

/** Keeps keys elsewhere from now on; what is kept already moves along. */
export function useChooseSecrets() {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (store: SecretPlace) => api.json("POST", "/workbench/secrets", { store }),
    onSuccess: () => queries.invalidateQueries({ queryKey: keys.status() }),
  });
}
