import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createApi } from "@/api/client";
import { ApiProvider } from "@/api/context";
import { toApiError } from "@/api/error";
import { Frame } from "@/app/frame";
import { Part } from "@/app/part";
import { applyRememberedTheme } from "@/app/use-appearance";
import { preloadMarkdown } from "@/components/agent/markdown";
import { initI18n } from "@/i18n";
import { watchPageFiles } from "@/lib/page-files";
import { chooseTransport } from "@/transport";
import "./styles.css";

watchPageFiles(window);
applyRememberedTheme();
preloadMarkdown();

const api = createApi(chooseTransport());
const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // An answer of the server will not become another one by asking again; a missing answer may.
      retry: (count, error) => count < 2 && toApiError(error).status === null,
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");

void initI18n().then(() =>
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <ApiProvider api={api}>
          <Part>
            <Frame />
          </Part>
        </ApiProvider>
      </QueryClientProvider>
    </StrictMode>,
  ),
);
