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

export type Capability = "tools" | "images" | "reasoning";

/** What kind of provider it is of. */
export function providerTypeOf(model: Model | undefined): string {
  const { provider_type }: { provider_type?: unknown } = model ?? {};
  return typeof provider_type === "string" ? provider_type : "";
}

/** What a model is known to do; what nobody says is left out. */
export function capabilitiesOf(model: Model): Capability[] {
  const { capabilities }: { capabilities?: unknown } = model;
  const known = (capabilities ?? {}) as Partial<Record<Capability, boolean | null>>;
  return (["tools", "images", "reasoning"] as const).filter((name) => known[name] === true);
}

/** Whether its own server says that a model calls no tools: it cannot keep an agent's memory. */
export function callsNoTools(model: Model): boolean {
  const { capabilities }: { capabilities?: unknown } = model;
  return (capabilities as { tools?: boolean | null } | undefined)?.tools === false;
}

/** List prices in US dollars for a million tokens read and written, where they are known. */
export function priceOf(model: Model): { input: number; output: number } | null {
  const { price }: { price?: unknown } = model;
  const known = price as { input?: number; output?: number } | null | undefined;
  return typeof known?.input === "number" && typeof known.output === "number"
    ? { input: known.input / 1_000_000, output: known.output / 1_000_000 }
    : null;
}

/** Since when and where from its price is known; null where none is, or its provider lists it. */
export function priceSource(model: Model): { known: string; page: string } | null {
  const { price }: { price?: unknown } = model;
  const said = price as { known?: string; page?: string | null } | null | undefined;
  return said?.known && said.page ? { known: said.known, page: said.page } : null;
}

/** Models whose handle or name holds every word. */
export function foundModels(models: readonly Model[], text: string): Model[] {
  const words = text.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return models.filter((model) => {
    const { display_name }: { display_name?: unknown } = model;
    const name =
      `${handleOf(model)} ${typeof display_name === "string" ? display_name : ""}`.toLocaleLowerCase();
    return words.every((word) => name.includes(word));
  });
}
