// Names for the generated types of /v1, taken from the operations that use them.
import type { paths } from "./generated/schema";

type Operation<P extends keyof paths, M extends keyof paths[P]> = paths[P][M];
type JsonOf<T> = T extends { content: { "application/json": infer Body } } ? Body : never;
type Answer<P extends keyof paths, M extends keyof paths[P]> =
  Operation<P, M> extends { responses: { 200: infer Ok } } ? JsonOf<Ok> : never;
type Body<P extends keyof paths, M extends keyof paths[P]> =
  Operation<P, M> extends { requestBody?: infer Request } ? JsonOf<NonNullable<Request>> : never;

export type Agent = Answer<"/v1/agents/{agent_id}", "get">;
export type CreateAgent = Body<"/v1/agents/", "post">;
export type AgentUpdate = Body<"/v1/agents/{agent_id}", "patch">;
export type Conversation = Answer<"/v1/conversations/{conversation_id}", "get">;
export type Block = Answer<"/v1/blocks/{block_id}", "get">;
export type BlockUpdate = Body<"/v1/blocks/{block_id}", "patch">;
export type Passage = Answer<"/v1/agents/{agent_id}/archival-memory", "get">[number];
export type Model = Answer<"/v1/models/", "get">[number];
export type Tool = Answer<"/v1/agents/{agent_id}/tools", "get">[number];
export type Run = Answer<"/v1/runs/", "get">[number];
/** What the next request carries. The loose parts are read as they come. */
export type ContextWindow = Omit<
  Answer<"/v1/agents/{agent_id}/context", "get">,
  "functions_definitions" | "messages"
> & { functions_definitions: Record<string, unknown>[]; messages: Record<string, unknown>[] };
export type Step = Answer<"/v1/runs/{run_id}/steps", "get">[number];
