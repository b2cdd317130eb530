import { useTranslation } from "react-i18next";
import { CodeEditor } from "@/components/ui/code";
import { SchemaForm } from "@/components/ui/schema-form";
import type { DerivedSchema } from "./queries";

/** What the model is told of the tool, and the form its arguments make. */
export function SchemaTab({ schema }: { schema: DerivedSchema | null }) {
  const { t } = useTranslation();
  if (!schema) return <p className="text-muted-foreground">{t("workshop.noSchema")}</p>;
  return (
    <div className="flex flex-col gap-4">
      <p className="whitespace-pre-wrap">{schema.description}</p>
      <section aria-label={t("workshop.form")} className="flex flex-col gap-2">
        <h3 className="font-semibold">{t("workshop.form")}</h3>
        <SchemaForm schema={schema.parameters ?? {}} value={{}} disabled onChange={() => {}} />
        {Object.keys(schema.parameters?.properties ?? {}).length === 0 ? (
          <p className="text-muted-foreground">{t("workshop.noArguments")}</p>
        ) : null}
      </section>
      <section aria-label={t("workshop.schema")} className="flex flex-col gap-2">
        <h3 className="font-semibold">{t("workshop.schema")}</h3>
        <CodeEditor
          label={t("workshop.schema")}
          language="json"
          value={JSON.stringify(schema, null, 2)}
          readOnly
        />
      </section>
    </div>
  );
}
