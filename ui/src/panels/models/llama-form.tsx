import { FolderOpen } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import { Button } from "@/components/ui/button";
import { Field, Input, Select } from "@/components/ui/field";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { size } from "@/lib/quantity";
import { useFailure } from "@/lib/use-failure";
import { isUp, type Launch, type Managed, useModelFiles, useStartManaged } from "./llama-queries";

/** Least and most tokens of context, and most layers, as the server takes them. */
const CONTEXT = { min: 256, max: 16_777_216 };
const MOST_LAYERS = 10_000;

/** As it is written; what is empty is left to the program. */
type Draft = Record<keyof Launch, string>;

const written = (launch: Launch): Draft => ({
  program: launch.program ?? "",
  model: launch.model ?? "",
  context_length: String(launch.context_length ?? ""),
  gpu_layers: String(launch.gpu_layers ?? ""),
});

const numberOf = (text: string) => (text === "" ? null : Number(text));

const meant = (draft: Draft): Launch => ({
  program: draft.program.trim() || null,
  model: draft.model.trim() || null,
  context_length: numberOf(draft.context_length),
  gpu_layers: numberOf(draft.gpu_layers),
});

/** What is to be run, and the start of it. */
export function LlamaForm({ managed }: { managed: Managed }) {
  const { t, i18n } = useTranslation();
  const failure = useFailure();
  const { transport } = useApi();
  const { data: files = [] } = useModelFiles();
  const start = useStartManaged();
  const [changed, setChanged] = useState<Partial<Draft>>({});
  const draft = { ...written(managed.launch), ...changed };
  const set = (change: Partial<Draft>) => setChanged((before) => ({ ...before, ...change }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    start.mutate(meant(draft), { onSuccess: () => setChanged({}) });
  };
  const pick = async () => {
    const picked = await transport.pickFile();
    if (picked !== null) set({ model: picked });
  };
  return (
    <form aria-labelledby="llama-heading" className="flex flex-col gap-3" onSubmit={submit}>
      {files.length > 0 ? (
        <Field label={t("llama.found")}>
          {(control) => (
            <Select
              {...control}
              value={files.some(({ path }) => path === draft.model) ? draft.model : ""}
              onChange={(event) => set({ model: event.target.value })}
            >
              <option value="">{t("llama.otherFile")}</option>
              {files.map(({ path, name, bytes }) => (
                <option key={path} value={path}>
                  {name} ({size(bytes, i18n.language)})
                </option>
              ))}
            </Select>
          )}
        </Field>
      ) : null}
      <Field label={t("llama.model")} hint={t("llama.modelHint")}>
        {(control) => (
          <div className="flex gap-2">
            <Input
              {...control}
              required
              className="font-mono text-xs"
              spellCheck={false}
              value={draft.model}
              onChange={(event) => set({ model: event.target.value })}
            />
            {transport.capabilities.files ? (
              <Button onClick={() => void pick()}>
                <FolderOpen aria-hidden className="size-3.5" />
                {t("llama.pick")}
              </Button>
            ) : null}
          </div>
        )}
      </Field>
      <div className="grid gap-3 sm:grid-cols-2">
        <Field label={t("llama.context")} hint={t("llama.contextHint")}>
          {(control) => (
            <Input
              {...control}
              type="number"
              {...CONTEXT}
              step={1}
              value={draft.context_length}
              onChange={(event) => set({ context_length: event.target.value })}
            />
          )}
        </Field>
        <Field label={t("llama.layers")} hint={t("llama.layersHint")}>
          {(control) => (
            <Input
              {...control}
              type="number"
              min={0}
              max={MOST_LAYERS}
              step={1}
              value={draft.gpu_layers}
              onChange={(event) => set({ gpu_layers: event.target.value })}
            />
          )}
        </Field>
      </div>
      <Field label={t("llama.program")} hint={t("llama.programHint")}>
        {(control) => (
          <Input
            {...control}
            className="font-mono text-xs"
            spellCheck={false}
            placeholder={managed.program ?? ""}
            value={draft.program}
            onChange={(event) => set({ program: event.target.value })}
          />
        )}
      </Field>
      {start.error ? <Problem {...failure.of(start.error)} /> : null}
      <Button
        type="submit"
        variant="primary"
        className="self-start"
        disabled={start.isPending || !draft.model.trim()}
      >
        {start.isPending ? <Spinner /> : null}
        {t(isUp(managed) ? "llama.restart" : "llama.start")}
      </Button>
    </form>
  );
}
