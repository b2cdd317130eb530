import type { Model } from "@/api/types";

/** The handle an agent is created with. */
export function handleOf(model: Model): string {
  return model.handle ?? `${model.provider_name ?? model.provider_type}/${model.model}`;
}

/** The built-in stand-in that answers without any model behind it. */
export function isRehearsal(handle: string | null | undefined): boolean {
  return handle?.startsWith("rehearsal/") ?? false;
}
