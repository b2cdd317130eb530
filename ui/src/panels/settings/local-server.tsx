import { Tabs } from "radix-ui";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { ConfirmAction } from "@/components/ui/confirm-action";
import { CopyButton } from "@/components/ui/copy-button";
import { Field, Input } from "@/components/ui/field";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { Switch } from "@/components/ui/switch";
import { useSay } from "@/lib/say";
import { useFailure } from "@/lib/use-failure";
import { type LocalServer as Server, useChangeServer, useLocalServer, useToken } from "./queries";
import { SNIPPETS, snippet } from "./snippets";

/** This machine's agents for other programs: on or off, where, with which token, and how. */
export function LocalServer() {
  const { t } = useTranslation();
  const say = useSay();
  const failure = useFailure();
  const { data, error, isPending } = useLocalServer();
  const change = useChangeServer();
  return (
    <section aria-labelledby="server-heading" className="flex flex-col gap-3">
      <h2 id="server-heading" className="font-semibold">
        {t("server.heading")}
      </h2>
      <p className="text-muted-foreground">{t("server.explanation")}</p>
      {isPending ? <Spinner aria-label={t("common.loading")} /> : null}
      {error ? <Problem {...failure.of(error)} /> : null}
      {change.error ? <Problem {...failure.of(change.error)} /> : null}
      {data ? (
        <>
          {/* biome-ignore lint/a11y/noLabelWithoutControl: the switch is inside */}
          <label className="flex items-center gap-3">
            <Switch
              checked={data.on}
              disabled={!data.can_change || change.isPending}
              aria-label={t("server.on")}
              onCheckedChange={(on) => change.mutate({ on })}
            />
            <span className="font-medium">{t("server.on")}</span>
            {data.base_url ? (
              <span className="font-mono text-xs text-muted-foreground select-all">{data.base_url}</span>
            ) : null}
          </label>
          {data.can_change ? <Port server={data} onChange={(port) => change.mutate({ port })} /> : null}
          {data.can_change ? null : <p className="text-muted-foreground">{t("server.fixed")}</p>}
          {data.problem ? <p className="text-danger">{say(data.problem)}</p> : null}
          {data.can_change ? <Token /> : null}
          <Snippets baseUrl={data.base_url ?? `http://127.0.0.1:${data.port}`} />
        </>
      ) : null}
    </section>
  );
}

function Port({ server, onChange }: { server: Server; onChange: (port: number) => void }) {
  const { t } = useTranslation();
  const [port, setPort] = useState(String(server.port));
  const given = Number(port);
  const bad = !Number.isInteger(given) || given < 1 || given > 65_535;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onChange(given);
  };
  return (
    <form className="flex items-end gap-2" onSubmit={submit}>
      <Field label={t("server.port")} problem={bad ? t("server.badPort") : undefined}>
        {(control) => (
          <Input
            {...control}
            inputMode="numeric"
            className="w-28 font-mono"
            value={port}
            onChange={(event) => setPort(event.target.value)}
          />
        )}
      </Field>
      {given === server.port ? null : (
        <Button type="submit" disabled={bad}>
          {t("server.usePort")}
        </Button>
      )}
    </form>
  );
}

/** The token is shown when asked for, and forgotten when hidden. */
function Token() {
  const { t } = useTranslation();
  const failure = useFailure();
  const token = useToken();
  const [asking, setAsking] = useState(false);
  return (
    <div className="flex flex-col gap-2">
      <div className="flex flex-wrap items-center gap-2">
        {token.data ? (
          <>
            <code className="rounded-sm border bg-card px-2 py-1 text-xs break-all select-all">
              {token.data.token}
            </code>
            <Button onClick={() => token.reset()}>{t("server.hideToken")}</Button>
          </>
        ) : (
          <Button disabled={token.isPending} onClick={() => token.mutate("show")}>
            {t("server.showToken")}
          </Button>
        )}
        <Button disabled={token.isPending} onClick={() => setAsking(true)}>
          {t("server.newToken")}
        </Button>
      </div>
      {token.error ? <Problem {...failure.of(token.error)} /> : null}
      <ConfirmAction
        open={asking}
        onOpenChange={setAsking}
        heading={t("server.rotateHeading")}
        explanation={t("server.rotateExplanation")}
        submit={t("server.newToken")}
        variant="primary"
        onConfirm={() => {
          setAsking(false);
          token.mutate("rotate");
        }}
      />
    </div>
  );
}

function Snippets({ baseUrl }: { baseUrl: string }) {
  const { t } = useTranslation();
  return (
    <div className="flex flex-col gap-2">
      <h3 className="font-medium">{t("server.use")}</h3>
      <p className="text-xs text-muted-foreground">{t("server.useHint")}</p>
      <Tabs.Root defaultValue="python" className="flex flex-col gap-2">
        <Tabs.List aria-label={t("server.use")} className="flex gap-1 border-b">
          {SNIPPETS.map((kind) => (
            <Tabs.Trigger
              key={kind}
              value={kind}
              className="-mb-px border-b-2 border-transparent px-2.5 py-1.5 text-xs font-medium text-muted-foreground hover:text-foreground data-[state=active]:border-accent data-[state=active]:text-foreground"
            >
              {t(`server.snippets.${kind}`)}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        {SNIPPETS.map((kind) => (
          <Tabs.Content key={kind} value={kind} className="relative">
            <pre
              // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
              tabIndex={0}
              className="overflow-auto rounded-md border bg-card p-3 pr-24 font-mono text-xs leading-5"
            >
              {snippet(kind, baseUrl)}
            </pre>
            <CopyButton
              className="absolute top-2 right-2"
              label={t("server.copy")}
              text={() => snippet(kind, baseUrl)}
            />
          </Tabs.Content>
        ))}
      </Tabs.Root>
    </div>
  );
}
