// How other programs reach this machine's agents: whole examples that run as they are.

export const SNIPPETS = ["python", "typescript", "curl"] as const;
export type Snippet = (typeof SNIPPETS)[number];

/** The token is read from the environment, so that it gets into no file. */
export function snippet(kind: Snippet, baseUrl: string): string {
  switch (kind) {
    case "python":
      return `# pip install letta-client
import os
from letta_client import Letta

client = Letta(base_url="${baseUrl}", api_key=os.environ["LOCI_TOKEN"])
for agent in client.agents.list():
    print(agent.id, agent.name)
`;
    case "typescript":
      return `// npm install @letta-ai/letta-client
import Letta from "@letta-ai/letta-client";

const client = new Letta({ baseURL: "${baseUrl}", apiKey: process.env.LOCI_TOKEN });
for await (const agent of client.agents.list()) {
  console.log(agent.id, agent.name);
}
`;
    case "curl":
      return `curl ${baseUrl}/v1/agents/ \\
  -H "Authorization: Bearer $LOCI_TOKEN"
`;
    default:
      kind satisfies never;
      return "";
  }
}
