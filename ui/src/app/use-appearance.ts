import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { useApi } from "@/api/context";
import { settingsQuery } from "@/api/queries";
import { chooseLanguage } from "@/i18n";

const KEY = "loci.theme";

/** Puts the theme of the last time on, before the settings have been read. */
export function applyRememberedTheme(): void {
  const theme = localStorage.getItem(KEY);
  if (theme) document.documentElement.dataset.theme = theme;
}

/** Applies theme and language of the settings to the page. */
export function useAppearance(): void {
  const { data } = useQuery(settingsQuery(useApi()));
  const theme = data?.theme;
  const language = data?.language;
  useEffect(() => {
    if (!theme) return;
    document.documentElement.dataset.theme = theme;
    localStorage.setItem(KEY, theme);
  }, [theme]);
  useEffect(() => {
    if (language) chooseLanguage(language);
  }, [language]);
}
