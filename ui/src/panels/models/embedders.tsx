import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import { keys } from "@/api/queries";
import type { Said } from "@/api/said";
import type { Model } from "@/api/types";
import { useIsLocal } from "@/api/use-local";
import { Button } from "@/components/ui/button";
import { Field, Select } from "@/components/ui/field";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { handleOf } from "@/lib/model-name";
import { count } from "@/lib/quantity";
import { useSay } from "@/lib/say";
import { useFailure } from "@/lib/use-failure";

/** An agent's archive and how far its vectors are. */
type Archive = {
  archive_id: string;
  name: string;
  /** Null: found by words only. */
  handle: string | null;
  passages: number;
  embedded: number;
  failed: number;
  /** Why the embedder does not answer, if so. */
  problem: Said | null;
};

const KEY = [...keys.models(), "embedders"] as const;

const isBusy = ({ handle, passages, embedded, failed, problem }: Archive) =>
  handle !== null && problem === null && embedded + failed < passages;

function useArchives() {
  const api = useApi();
  const isLocal = useIsLocal();
  return useQuery({
    queryKey: KEY,
    queryFn: () => api.json<Archive[]>("GET", "/workbench/embedding"),
    enabled: isLocal,
    refetchInterval: ({ state }) => (state.data?.some(isBusy) ? 2_000 : false),
  });
}

/** By what meaning is searched in what agents filed away. Words are searched in any case. */
export function Embedders() {
  const { t } = useTranslation();
  const failure = useFailure();
  const api = useApi();
  const queries = useQueryClient();
  const { data, error } = useArchives();
  const models = useQuery({
    queryKey: [...keys.models(), "embedding"],
    queryFn: () => api.json<Model[]>("GET", "/v1/models/embedding"),
  });
  const onSuccess = (archives: Archive[]) => queries.setQueryData(KEY, archives);
  const choose = useMutation({
    mutationFn: (choice: { archive_id: string; handle: string | null }) =>
      api.json<Archive[]>("PUT", "/workbench/embedding", choice),
    onSuccess,
  });
  const retry = useMutation({
    mutationFn: () => api.json<Archive[]>("POST", "/workbench/embedding/retry"),
    onSuccess,
  });
  if (!data && !error) return null;
  const handles = (models.data ?? []).map(handleOf);
  return (
    <section aria-labelledby="embedders-heading" className="flex flex-col gap-2">
      <h2 id="embedders-heading" className="font-semibold">
        {t("models.embedders")}
      </h2>
      <p className="text-xs text-muted-foreground">{t("models.embeddersExplanation")}</p>
      {[error, models.error, choose.error, retry.error].map((problem, at) =>
        // biome-ignore lint/suspicious/noArrayIndexKey: each has its own place
        problem ? <Problem key={at} {...failure.of(problem)} /> : null,
      )}
      {data?.length === 0 ? <p className="text-muted-foreground">{t("models.noArchives")}</p> : null}
      <ul className="flex flex-col gap-2 empty:hidden">
        {data?.map((archive) => (
          <ArchiveRow
            key={archive.archive_id}
            archive={archive}
            handles={handles}
            busy={choose.isPending}
            onChoose={(handle) => choose.mutate({ archive_id: archive.archive_id, handle })}
            onRetry={() => retry.mutate()}
          />
        ))}
      </ul>
    </section>
  );
}

type RowProps = {
  archive: Archive;
  handles: readonly string[];
  busy: boolean;
  onChoose: (handle: string | null) => void;
  onRetry: () => void;
};

function ArchiveRow({ archive, handles, busy, onChoose, onRetry }: RowProps) {
  const { t, i18n } = useTranslation();
  const say = useSay();
  const { name, handle, passages, embedded, failed, problem } = archive;
  const number = (value: number) => count(value, i18n.language);
  const state =
    handle === null
      ? t("models.byWords", { count: passages, shown: number(passages) })
      : t("models.embedded", { done: number(embedded), of: number(passages) });
  return (
    <li aria-label={name} className="flex flex-col gap-1.5 rounded-md border bg-card p-3">
      <div className="grid items-end gap-3 sm:grid-cols-2">
        <Field label={t("models.embedderOf", { name })}>
          {(control) => (
            <Select
              {...control}
              disabled={busy}
              value={handle ?? ""}
              onChange={(event) => onChoose(event.target.value || null)}
            >
              <option value="">{t("models.noEmbedder")}</option>
              {[...new Set([...handles, ...(handle === null ? [] : [handle])])].map((one) => (
                <option key={one} value={one}>
                  {one}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <p
          role="status"
          className="flex items-center gap-1.5 pb-1.5 text-xs text-muted-foreground tabular-nums"
        >
          {isBusy(archive) ? <Spinner /> : null}
          {state}
          {failed > 0 ? ` · ${t("models.embeddingFailed", { count: failed, shown: number(failed) })}` : ""}
        </p>
      </div>
      {problem ? (
        <div className="flex items-start gap-2 text-xs">
          <p className="min-w-0 flex-1 break-words text-waiting-foreground">
            {say(problem)} {t("models.wordsGoOn")}
          </p>
          <Button size="sm" onClick={onRetry}>
            {t("common.tryAgain")}
          </Button>
        </div>
      ) : null}
    </li>
  );
}
