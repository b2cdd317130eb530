import { useTranslation } from "react-i18next";
import type { Connection } from "@/api/workbench";

/** What a connection is called: those elsewhere as the person named them, this machine in their language. */
export function useConnectionName() {
  const { t } = useTranslation();
  return ({ kind, name }: Pick<Connection, "kind" | "name">) =>
    kind === "local" ? t("connections.local") : name;
}
