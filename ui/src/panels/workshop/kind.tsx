import { useTranslation } from "react-i18next";
import { Select } from "@/components/ui/field";
import { type Draft, PLACES, SOURCE_TYPES } from "./draft";

type KindProps = { draft: Draft; onChange: (change: Partial<Draft>) => void };

/** What a new tool will be: its language, and where it runs. Neither changes once it is kept. */
export function Kind({ draft, onChange }: KindProps) {
  const { t } = useTranslation();
  return (
    <div className="flex flex-wrap gap-2">
      <Select
        aria-label={t("workshop.place")}
        className="w-auto"
        value={draft.place}
        onChange={(event) => onChange({ place: event.target.value as Draft["place"] })}
      >
        {PLACES.map((place) => (
          <option key={place} value={place}>
            {t(`workshop.places.${place}`)}
          </option>
        ))}
      </Select>
      <Select
        aria-label={t("workshop.language")}
        className="w-auto"
        value={draft.source_type}
        onChange={(event) => onChange({ source_type: event.target.value as Draft["source_type"] })}
      >
        {SOURCE_TYPES.map((type) => (
          <option key={type} value={type}>
            {t(`workshop.languages.${type}`)}
          </option>
        ))}
      </Select>
    </div>
  );
}
