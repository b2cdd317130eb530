import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** Where `npm run dev` in a browser finds a running `loci serve`. */
const server = process.env.LOCI_URL ?? "http://127.0.0.1:8283";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  clearScreen: false,
  server: {
    port: 1420,
    strictPort: true,
    proxy: { "/v1": server, "/workbench": server },
  },
  build: {
    target: ["safari17.4", "chrome123"],
    // The content security policy forbids data: scripts; every asset is a file of its own.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
  },
  test: {
    restoreMocks: true,
    projects: [
      {
        extends: true,
        test: { name: "plain", environment: "node", include: ["src/**/*.test.ts"] },
      },
      {
        extends: true,
        test: {
          name: "page",
          environment: "jsdom",
          include: ["src/**/*.test.tsx"],
          setupFiles: ["src/test/setup.ts"],
          // The code editor is fetched when it is first shown, which takes long on a busy machine.
          testTimeout: 30_000,
        },
      },
    ],
  },
});
