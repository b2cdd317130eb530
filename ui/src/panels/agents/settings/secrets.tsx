import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/field";
import type { SectionProps } from "./draft";

/** `kept` is what the server shows in the place of a value it has; sent back, that value stays. */
type Row = { key: string; value: string; kept?: string };

/** Environment variables of the agent's tools. Their values can be set here, never read. */
export function SecretsSection({ agent, change }: SectionProps) {
  const { t } = useTranslation();
  const [rows, setRows] = useState<Row[] | null>(null);
  const edit = (next: Row[]) => {
    setRows(next);
    change({
      secrets: Object.fromEntries(
        next.filter(({ key }) => key.trim()).map(({ key, value, kept }) => [key.trim(), value || kept || ""]),
      ),
    });
  };
  if (!rows) {
    return (
      <>
        <p className="text-muted-foreground">{t("agentSettings.secrets.explanation")}</p>
        {agent.secrets.length > 0 ? (
          <ul className="flex flex-col gap-1">
            {agent.secrets.map(({ key }) => (
              <li key={key} className="rounded-md border bg-card px-2.5 py-1.5 font-mono text-xs">
                {key}
              </li>
            ))}
          </ul>
        ) : (
          <p>{t("agentSettings.secrets.none")}</p>
        )}
        <Button
          className="self-start"
          onClick={() =>
            setRows([
              ...agent.secrets.map(({ key, value }) => ({ key, value: "", kept: value ?? undefined })),
              { key: "", value: "" },
            ])
          }
        >
          {t("agentSettings.secrets.set")}
        </Button>
      </>
    );
  }
  return (
    <>
      <p className="text-muted-foreground">{t("agentSettings.secrets.keeps")}</p>
      <ul className="flex flex-col gap-2">
        {rows.map((row, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: rows are edited in place
          <li key={at} className="flex gap-2">
            <Input
              aria-label={t("agentSettings.secrets.name")}
              placeholder={t("agentSettings.secrets.name")}
              className="font-mono text-xs"
              autoComplete="off"
              readOnly={row.kept !== undefined}
              value={row.key}
              onChange={(event) => edit(rows.with(at, { ...row, key: event.target.value }))}
            />
            <Input
              type="password"
              aria-label={t("agentSettings.secrets.value", { name: row.key })}
              placeholder={t(
                row.kept === undefined
                  ? "agentSettings.secrets.valuePlaceholder"
                  : "agentSettings.secrets.unchanged",
              )}
              autoComplete="new-password"
              value={row.value}
              onChange={(event) => edit(rows.with(at, { ...row, value: event.target.value }))}
            />
            <Button
              size="icon"
              variant="quiet"
              aria-label={t("agentSettings.secrets.remove", { name: row.key })}
              title={t("agentSettings.secrets.remove", { name: row.key })}
              onClick={() => edit(rows.filter((_, index) => index !== at))}
            >
              <Trash2 aria-hidden className="size-3.5" />
            </Button>
          </li>
        ))}
      </ul>
      <Button className="self-start" onClick={() => setRows([...rows, { key: "", value: "" }])}>
        <Plus aria-hidden className="size-3.5" />
        {t("agentSettings.secrets.add")}
      </Button>
    </>
  );
}
