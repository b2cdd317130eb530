import type { Model } from "@/api/types";

/** The handle an agent is created with. */
export function handleOf(model: Model): string {
  return model.handle ?? `${model.provider_name ?? model.provider_type}/${model.model}`;
}

/** The built-in stand-in that answers without any model behind it. */
export function isRehearsal(handle: string | null | undefined): boolean {
  return handle?.startsWith("rehearsal/") ?? false;
}

/** A real model before the stand-in, which is never chosen silently where there is another. */
export function firstChoice(models: readonly Model[]): string {
  const handles = models.map(handleOf);
  return handles.find((handle) => !isRehearsal(handle)) ?? handles[0] ?? "";
}

/** The most tokens a model takes, where its server says so. */
export function windowOf(model: Model | undefined): number | null {
  const shown: { max_context_window?: unknown; context_window?: unknown } = model ?? {};
  const tokens = shown.max_context_window ?? shown.context_window;
  return typeof tokens === "number" ? tokens : null;
}
