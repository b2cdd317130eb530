// Which agents the list shows.
import type { Agent } from "@/api/types";

/** The tags in use, those of most agents first. Tags with a colon are other programs' own marks. */
export function tagsOf(agents: readonly Agent[]): string[] {
  const counts = new Map<string, number>();
  for (const { tags } of agents) {
    for (const tag of tags) if (!tag.includes(":")) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  }
  return [...counts].sort(([a, m], [b, n]) => n - m || a.localeCompare(b)).map(([tag]) => tag);
}

/** Those whose name, description, model or tags contain every word, the last active first. */
export function filtered(agents: readonly Agent[], words: string, tag: string | null): Agent[] {
  const wanted = words.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return agents
    .filter((agent) => tag === null || agent.tags.includes(tag))
    .filter((agent) => {
      const text = [agent.name, agent.description, agent.model, ...agent.tags].join("\n").toLocaleLowerCase();
      return wanted.every((word) => text.includes(word));
    })
    .sort((a, b) => activity(b).localeCompare(activity(a)));
}

function activity({ last_run_completion, created_at }: Agent): string {
  return last_run_completion ?? created_at ?? "";
}
