import type { ComponentProps } from "react";
import { useTranslation } from "react-i18next";
import { moment, since } from "@/lib/since";

type WhenProps = Omit<ComponentProps<"time">, "dateTime"> & { date: string };

/** A moment as "2 minutes ago", with the exact one as its title. */
export function When({ date, ...rest }: WhenProps) {
  const { i18n } = useTranslation();
  return (
    <time dateTime={date} title={moment(date, i18n.language)} {...rest}>
      {since(date, i18n.language)}
    </time>
  );
}
