// Starting points: each is whole and runs as it stands.
import type { Place, SourceType } from "./draft";

export type StartingPoint = {
  key: string;
  source_type: SourceType;
  source_code: string;
  network?: true;
  place?: Place;
};

export const GALLERY: readonly StartingPoint[] = [
  {
    key: "empty",
    source_type: "python",
    source_code: `def my_tool(text: str) -> str:
    """Say in one sentence what the tool does.

    Args:
        text: What the tool is given.
    """
    return text.upper()
`,
  },
  {
    key: "typescript",
    source_type: "typescript",
    source_code: `/**
 * Says in one sentence what the tool does.
 * @param words The words to count.
 * @param longest How long a word may be to count.
 */
export function countWords(words: string[], longest = 20): number {
  return words.filter((word) => word.length <= longest).length;
}
`,
  },
  {
    key: "fetch",
    source_type: "python",
    network: true,
    source_code: `import json
import urllib.request


def fetch_json(url: str) -> dict:
    """Read JSON from an address.

    Args:
        url: The whole address, beginning with https://.
    """
    with urllib.request.urlopen(url, timeout=20) as answer:
        return json.load(answer)
`,
  },
  {
    key: "table",
    source_type: "python",
    source_code: `import csv
import io


def summarize_table(table: str, column: str) -> dict:
    """Count, add up and average the numbers in one column of a table.

    Args:
        table: Text with comma separated values; the first line names the columns.
        column: The column with the numbers.
    """
    rows = csv.DictReader(io.StringIO(table))
    numbers = [float(row[column]) for row in rows if row[column].strip()]
    total = sum(numbers)
    return {"count": len(numbers), "sum": total, "mean": total / len(numbers) if numbers else None}
`,
  },
  {
    key: "machine",
    source_type: "python",
    place: "machine",
    source_code: `from pathlib import Path


def count_lines(suffix: str = ".txt") -> dict:
    """Count the lines of every file of one kind in the opened folder.

    Args:
        suffix: What the names of the files end with.
    """
    counts = {}
    for path in sorted(Path(".").rglob(f"*{suffix}")):
        with path.open(encoding="utf-8", errors="replace") as lines:
            counts[str(path)] = sum(1 for _ in lines)
    return counts
`,
  },
  {
    key: "memory",
    source_type: "python",
    source_code: `def note_date(agent_state: "AgentState", day: str, what: str) -> str:
    """Write a date into the agent's block named human.

    Args:
        day: The day, as YYYY-MM-DD.
        what: What happens on it.
    """
    block = agent_state.memory.get_block("human")
    agent_state.memory.update_block_value("human", f"{block.value}\\n{day}: {what}".strip())
    return f"{day} is noted."
`,
  },
];
