import { useTranslation } from "react-i18next";
import { TextField } from "@/components/ui/labelled";

type NameFieldProps = { value: string; onChange: (name: string) => void };

/** An agent's name, as the API takes it. */
export function NameField(props: NameFieldProps) {
  const { t } = useTranslation();
  return (
    <TextField label={t("agents.name")} hint={t("agents.nameHint")} required maxLength={100} {...props} />
  );
}
