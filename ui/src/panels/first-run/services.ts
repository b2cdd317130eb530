// Services one may have a key of, for the first minute. All others are added on the page of models.

export type Service = { name: string; label: string; type: string; address: string };

export const SERVICES: readonly [Service, ...Service[]] = [
  { name: "openai", label: "OpenAI", type: "openai", address: "https://api.openai.com/v1" },
  { name: "anthropic", label: "Anthropic", type: "anthropic", address: "https://api.anthropic.com" },
  {
    name: "google_ai",
    label: "Google Gemini",
    type: "google_ai",
    address: "https://generativelanguage.googleapis.com/v1beta",
  },
  { name: "openrouter", label: "OpenRouter", type: "openai", address: "https://openrouter.ai/api/v1" },
];

/** Of many models the one to begin with: small, quick ones of the general kind come first. */
export function begin(handles: readonly string[]): string {
  const liked = [/haiku|mini|flash|small/i, /gpt|claude|gemini|llama|qwen|mistral/i];
  const odd = /embed|image|audio|tts|whisper|realtime|moderation|transcribe|search|codex|vision-preview/i;
  const fit = handles.filter((handle) => !odd.test(handle));
  for (const wish of liked) {
    const found = fit.find((handle) => wish.test(handle));
    if (found) return found;
  }
  return fit[0] ?? handles[0] ?? "";
}
