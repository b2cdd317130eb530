import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useApi } from "@/api/context";
import { statusQuery } from "@/api/queries";
import { moveTo } from "@/api/reach";

/** Follows the connection in use, whoever chose it: this window, another one, or the system's menu. */
export function useConnectionChange(): void {
  const queries = useQueryClient();
  const { data } = useQuery(statusQuery(useApi()));
  const connection = data ? (data.connection ?? "local") : null;
  useEffect(() => {
    if (connection !== null) void moveTo(connection, queries);
  }, [connection, queries]);
}
