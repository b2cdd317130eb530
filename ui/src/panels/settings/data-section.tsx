import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import { useChooseSecrets } from "@/api/use-choose-secrets";
import { useLack } from "@/api/use-lack";
import type { SecretPlace } from "@/api/workbench";
import { Button } from "@/components/ui/button";
import { Field, Input, Select } from "@/components/ui/field";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { size } from "@/lib/quantity";
import { useSay } from "@/lib/say";
import { useFailure } from "@/lib/use-failure";
import { useBackup, useDataPlace, useStatus } from "./queries";

/** Where everything is, a copy of it, and where keys are kept. */
export function DataSection() {
  const { t, i18n } = useTranslation();
  const say = useSay();
  const failure = useFailure();
  const { transport } = useApi();
  const open = useMutation({ mutationFn: () => transport.openDataFolder() });
  const { data: status } = useStatus();
  const { data: place } = useDataPlace();
  return (
    <section aria-labelledby="data-heading" className="flex flex-col gap-3">
      <h2 id="data-heading" className="font-semibold">
        {t("settings.dataHeading")}
      </h2>
      {status ? (
        <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 text-muted-foreground">
          <dt>{t("settings.version")}</dt>
          <dd className="font-mono">{status.version}</dd>
          {status.data_dir ? (
            <>
              <dt>{t("settings.data")}</dt>
              <dd className="font-mono break-all select-all">
                {status.data_dir}
                {place ? <span className="font-sans"> · {size(place.bytes, i18n.language)}</span> : null}
              </dd>
              {transport.capabilities.files ? (
                <dd className="col-start-2">
                  <Button size="sm" onClick={() => open.mutate()}>
                    {t("settings.showFolder")}
                  </Button>
                </dd>
              ) : null}
            </>
          ) : null}
          <dt>{t("settings.secrets")}</dt>
          <dd>{t(`settings.stores.${status.secrets.store}`, { defaultValue: status.secrets.store })}</dd>
        </dl>
      ) : null}
      {open.error ? <Problem {...failure.of(open.error)} /> : null}
      {status?.secrets.reason ? <p className="text-muted-foreground">{say(status.secrets.reason)}</p> : null}
      <SecretChoice store={status?.secrets.store ?? ""} choices={status?.secrets.choices ?? []} />
      {place ? <Backup folder={place.backup_dir} /> : null}
    </section>
  );
}

function SecretChoice({ store, choices }: { store: string; choices: readonly SecretPlace[] }) {
  const { t } = useTranslation();
  const failure = useFailure();
  const choose = useChooseSecrets();
  if (choices.length === 0) return null;
  return (
    <>
      <Field label={t("settings.secretsElsewhere")} hint={t("settings.secretsMove")} className="max-w-80">
        {(control) => (
          <Select
            {...control}
            disabled={choose.isPending}
            value={store}
            onChange={(event) => choose.mutate(event.target.value as SecretPlace)}
          >
            {[...new Set([store, ...choices])].map((each) => (
              <option key={each} value={each}>
                {t(`settings.stores.${each}`, { defaultValue: each })}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {choose.error ? <Problem {...failure.of(choose.error)} /> : null}
    </>
  );
}

/** A copy while everything goes on. Keys are not in it. */
function Backup({ folder }: { folder: string }) {
  const { t, i18n } = useTranslation();
  const failure = useFailure();
  const backup = useBackup();
  const lack = useLack("backup");
  const { transport } = useApi();
  const [file, setFile] = useState("");
  const pick = async () => {
    const picked = await transport.saveFile(`loci-${new Date().toISOString().slice(0, 10)}.db`);
    if (picked) setFile(picked);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    backup.mutate(file.trim());
  };
  return (
    <form aria-label={t("settings.backup")} className="flex flex-col gap-2" onSubmit={submit}>
      <Field label={t("settings.backupFile")} hint={t("settings.backupHint", { folder })}>
        {(control) => (
          <Input
            {...control}
            spellCheck={false}
            className="font-mono text-xs"
            value={file}
            onChange={(event) => setFile(event.target.value)}
          />
        )}
      </Field>
      {lack ? <p className="text-muted-foreground">{lack}</p> : null}
      <div className="flex items-center gap-3">
        <Button type="submit" disabled={backup.isPending}>
          {backup.isPending ? <Spinner /> : null}
          {t("settings.backup")}
        </Button>
        {transport.capabilities.files ? (
          <Button onClick={() => void pick()}>{t("settings.pickFile")}</Button>
        ) : null}
        <p role="status" className="min-w-0 break-all text-success">
          {backup.data
            ? t("settings.backedUp", {
                file: backup.data.file,
                size: size(backup.data.bytes, i18n.language),
              })
            : null}
        </p>
      </div>
      {backup.error ? <Problem {...failure.of(backup.error)} /> : null}
    </form>
  );
}
