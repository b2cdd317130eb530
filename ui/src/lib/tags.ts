/** Tags as one writes them: between commas, without doubles. */
export function tagsFrom(text: string): string[] {
  return [...new Set(text.split(",").map((tag) => tag.trim()))].filter(Boolean);
}
