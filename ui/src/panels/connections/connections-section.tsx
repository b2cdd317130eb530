import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import { useReason } from "@/api/use-lack";
import type { Connection, Health } from "@/api/workbench";
import { QueryState } from "@/components/agent/query-state";
import { Button } from "@/components/ui/button";
import { ConfirmAction } from "@/components/ui/confirm-action";
import { Field, Input } from "@/components/ui/field";
import { TextField } from "@/components/ui/labelled";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { When } from "@/components/ui/when";
import { cn } from "@/lib/cn";
import { count } from "@/lib/quantity";
import { useSay } from "@/lib/say";
import { useConnectionName } from "@/lib/use-connection-name";
import { useFailure } from "@/lib/use-failure";
import {
  type NewConnection,
  useAddConnection,
  useChangeConnection,
  useCheckConnection,
  useConnections,
  useRemoveConnection,
  useSelectConnection,
  useTryConnection,
} from "./queries";

/** Where the agents on screen run. Choosing another one changes every panel at once. */
export function ConnectionsSection() {
  const { t } = useTranslation();
  const failure = useFailure();
  const { data, error, isPending, refetch } = useConnections();
  const select = useSelectConnection();
  return (
    <section aria-labelledby="connections-heading" className="flex flex-col gap-4">
      <header className="flex flex-col gap-1">
        <h2 id="connections-heading" className="font-semibold">
          {t("connections.heading")}
        </h2>
        <p className="text-muted-foreground">{t("connections.explanation")}</p>
      </header>
      <QueryState isPending={isPending} error={error} refetch={refetch} />
      {select.error ? <Problem {...failure.of(select.error)} /> : null}
      <ul className="flex flex-col gap-2">
        {data?.map((connection) => (
          <ConnectionCard
            key={connection.id}
            connection={connection}
            busy={select.isPending}
            onSelect={() => select.mutate(connection.id)}
          />
        ))}
      </ul>
      <AddConnection />
    </section>
  );
}

type CardProps = { connection: Connection; busy: boolean; onSelect: () => void };

function ConnectionCard({ connection, busy, onSelect }: CardProps) {
  const { t } = useTranslation();
  const say = useSay();
  const failure = useFailure();
  const check = useCheckConnection(connection.id);
  const remove = useRemoveConnection();
  const [asking, setAsking] = useState(false);
  const [changing, setChanging] = useState(false);
  const remote = connection.kind === "remote";
  const name = useConnectionName()(connection);
  const reasonOf = useReason();
  return (
    <li
      aria-label={name}
      className={cn(
        "flex flex-col gap-2 rounded-md border bg-card p-3",
        connection.selected && "border-accent",
      )}
    >
      <div className="flex flex-wrap items-center gap-2">
        <div className="min-w-0 flex-1">
          <h3 className="font-semibold">{name}</h3>
          <p className="truncate text-xs text-muted-foreground">
            <span className="font-mono">{connection.base_url}</span>
            {remote ? ` · ${t(connection.has_key ? "connections.hasKey" : "connections.hasNoKey")}` : ""}
          </p>
        </div>
        {connection.selected ? (
          <span className="text-xs font-semibold text-accent">{t("connections.inUse")}</span>
        ) : (
          <Button size="sm" disabled={busy || connection.problem !== null} onClick={onSelect}>
            {t("connections.use")}
          </Button>
        )}
        {remote ? (
          <>
            <Button size="sm" disabled={check.isPending} onClick={() => check.mutate()}>
              {check.isPending ? <Spinner /> : null}
              {t("connections.check")}
            </Button>
            <Button size="sm" aria-expanded={changing} onClick={() => setChanging(!changing)}>
              {t("connections.change")}
            </Button>
            <Button
              size="sm"
              aria-label={t("connections.removeNamed", { name })}
              onClick={() => setAsking(true)}
            >
              {t("connections.remove")}
            </Button>
          </>
        ) : null}
      </div>
      {remote && connection.health ? <HealthLine health={connection.health} /> : null}
      {connection.warning ? <p className="text-waiting-foreground">{say(connection.warning)}</p> : null}
      {connection.problem ? <p className="text-danger">{say(connection.problem)}</p> : null}
      {check.error ? <Problem {...failure.of(check.error)} /> : null}
      {connection.lacks.length > 0 ? (
        <details>
          <summary className="text-xs text-muted-foreground">
            {t("connections.lacks", { count: connection.lacks.length })}
          </summary>
          <ul className="mt-1 list-disc pl-5 text-xs text-muted-foreground">
            {connection.lacks.map((lack) => (
              <li key={lack.feature}>{reasonOf(lack, name)}</li>
            ))}
          </ul>
        </details>
      ) : null}
      {changing ? <ChangeConnection connection={connection} onDone={() => setChanging(false)} /> : null}
      <ConfirmAction
        open={asking}
        onOpenChange={setAsking}
        heading={t("connections.removeHeading", { name })}
        explanation={t("connections.removeExplanation")}
        submit={t("connections.removeSubmit")}
        action={remove}
        onConfirm={() => remove.mutate(connection.id, { onSuccess: () => setAsking(false) })}
      />
    </li>
  );
}

function HealthLine({ health }: { health: Health }) {
  const { t, i18n } = useTranslation();
  const say = useSay();
  return (
    <p role="status" className={cn("text-xs", health.ok ? "text-success" : "text-danger")}>
      {health.ok ? t("connections.answers") : say(health.said)}
      {health.version ? ` · ${t("connections.version", { version: health.version })}` : ""}
      {health.latency_ms === null ? "" : ` · ${count(health.latency_ms, i18n.language)} ms`}
      <span className="text-muted-foreground">
        {" · "}
        <When date={health.checked_at} />
      </span>
    </p>
  );
}

const EMPTY = { name: "", base_url: "", key: "", ca_file: "" };

/** What is left empty is left out. */
function given(form: typeof EMPTY): NewConnection {
  const { base_url, ...rest } = form;
  const others = Object.entries(rest).filter(([, value]) => value.trim() !== "");
  return { base_url: base_url.trim(), ...Object.fromEntries(others) };
}

function AddConnection() {
  const { t } = useTranslation();
  const failure = useFailure();
  const add = useAddConnection();
  const { transport } = useApi();
  const test = useTryConnection();
  const [form, setForm] = useState(EMPTY);
  const set = (change: Partial<typeof EMPTY>) => {
    test.reset();
    setForm((before) => ({ ...before, ...change }));
  };
  const pick = async () => {
    const picked = await transport.pickFile();
    if (picked !== null) set({ ca_file: picked });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate(given(form), { onSuccess: () => setForm(EMPTY) });
  };
  return (
    <form
      aria-labelledby="add-connection"
      className="flex flex-col gap-3 rounded-md border p-4"
      onSubmit={submit}
    >
      <h3 id="add-connection" className="font-semibold">
        {t("connections.add")}
      </h3>
      <div className="grid gap-3 sm:grid-cols-2">
        <TextField
          label={t("connections.address")}
          hint={t("connections.addressHint")}
          code
          type="url"
          required
          value={form.base_url}
          onChange={(base_url) => set({ base_url })}
        />
        <TextField
          label={t("connections.name")}
          hint={t("connections.nameHint")}
          value={form.name}
          onChange={(name) => set({ name })}
        />
        <TextField
          label={t("connections.key")}
          hint={t("connections.keyHint")}
          secret
          value={form.key}
          onChange={(key) => set({ key })}
        />
        <Field label={t("connections.ca")} hint={t("connections.caHint")}>
          {(control) => (
            <div className="flex gap-2">
              <Input
                {...control}
                spellCheck={false}
                className="font-mono text-xs"
                value={form.ca_file}
                onChange={(event) => set({ ca_file: event.target.value })}
              />
              {transport.capabilities.files ? (
                <Button onClick={() => void pick()}>{t("settings.pickFile")}</Button>
              ) : null}
            </div>
          )}
        </Field>
      </div>
      {test.data ? <HealthLine health={test.data} /> : null}
      {test.error ? <Problem {...failure.of(test.error)} /> : null}
      {add.error ? <Problem {...failure.of(add.error)} /> : null}
      <div className="flex gap-2">
        <Button type="submit" variant="primary" disabled={add.isPending || !form.base_url.trim()}>
          {t("connections.addSubmit")}
        </Button>
        <Button
          disabled={test.isPending || !form.base_url.trim()}
          onClick={() => test.mutate(given({ ...form, name: "" }))}
        >
          {test.isPending ? <Spinner /> : null}
          {t("connections.try")}
        </Button>
      </div>
    </form>
  );
}

/** Keys go in and never come out: the field starts empty whatever is kept. */
function ChangeConnection({ connection, onDone }: { connection: Connection; onDone: () => void }) {
  const { t } = useTranslation();
  const failure = useFailure();
  const change = useChangeConnection(connection.id);
  const [form, setForm] = useState({
    name: connection.name,
    base_url: connection.base_url ?? "",
    ca_file: connection.ca_file ?? "",
    key: "",
  });
  const set = (next: Partial<typeof form>) => setForm((before) => ({ ...before, ...next }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const { key, ...rest } = form;
    change.mutate({ ...rest, ...(key ? { key } : {}) }, { onSuccess: onDone });
  };
  return (
    <form className="flex flex-col gap-3" onSubmit={submit}>
      {(["name", "base_url", "ca_file"] as const).map((name) => (
        <TextField
          key={name}
          label={t(`connections.fields.${name}`)}
          code={name !== "name"}
          value={form[name]}
          onChange={(value) => set({ [name]: value })}
        />
      ))}
      <TextField
        label={t("connections.newKey")}
        hint={t("connections.newKeyHint")}
        secret
        value={form.key}
        onChange={(key) => set({ key })}
      />
      {change.error ? <Problem {...failure.of(change.error)} /> : null}
      <div className="flex gap-2">
        <Button type="submit" size="sm" variant="primary" disabled={change.isPending}>
          {t("connections.saveChange")}
        </Button>
        {connection.has_key ? (
          <Button
            size="sm"
            disabled={change.isPending}
            onClick={() => change.mutate({ key: "" }, { onSuccess: onDone })}
          >
            {t("connections.removeKey")}
          </Button>
        ) : null}
        <Button size="sm" variant="quiet" onClick={onDone}>
          {t("common.cancel")}
        </Button>
      </div>
    </form>
  );
}
