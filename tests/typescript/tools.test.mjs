// The Tools API by the official TypeScript SDK: making, changing, listing and running tools, for an agent too.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import Letta from "@letta-ai/letta-client";
import { startModel, startServer, TOKEN } from "./support.mjs";

const GREET = `
/**
 * Greets somebody.
 * @param name Who.
 * @param style How.
 */
export function greet(name: string, style: "short" | "long" = "long"): string {
  return style === "short" ? name : \`Hello, \${name}!\`;
}
`;
const SCHEMA = {
  name: "greet",
  description: "Greets somebody.",
  parameters: {
    type: "object",
    properties: { name: { type: "string", description: "Who." }, style: { type: "string", description: "How." } },
    required: ["name"],
  },
};
const DOUBLE = 'def double(n: int) -> int:\n    """Doubles it.\n\n    Args:\n        n (int): It.\n    """\n    return n * 2\n';

let model;
let server;
let client;

const all = async (page) => {
  const found = [];
  for await (const one of page) found.push(one);
  return found;
};
const status = (promise) => promise.then(() => 200, (error) => error.status);

before(async () => {
  model = await startModel();
  server = await startServer(model);
  client = new Letta({ baseURL: server.url, apiKey: TOKEN, maxRetries: 0 });
});

after(async () => {
  await server?.close();
  await model?.close();
});

test("tools are created, kept by name, changed, listed and deleted", async () => {
  const tool = await client.tools.create({ source_code: DOUBLE, tags: ["maths"] });
  assert.equal(tool.name, "double");
  assert.deepEqual(tool.json_schema.parameters.required, ["n"]);
  const again = await client.tools.upsert({ source_code: DOUBLE, return_char_limit: 10 });
  assert.equal(again.id, tool.id);
  assert.equal(again.return_char_limit, 10);
  const renamed = await client.tools.update(tool.id, { source_code: DOUBLE.replace("double", "twice") });
  assert.deepEqual([renamed.id, renamed.name], [tool.id, "twice"]);
  assert.deepEqual((await all(client.tools.list({ search: "twi" }))).map((one) => one.name), ["twice"]);
  assert.equal((await client.tools.retrieve(tool.id)).name, "twice");
  await client.tools.delete(tool.id);
  assert.equal(await status(client.tools.retrieve(tool.id)), 404);
  for (const [wrong, code] of [
    [{ source_code: DOUBLE, return_char_limit: 1_000_001 }, 422],
    [{ source_code: DOUBLE, npm_requirements: [{ name: "" }] }, 422],
    [{ source_code: DOUBLE, surprise: 1 }, 422],
    [{ source_code: "def f(x): pass" }, 400],
    [{ source_code: DOUBLE, source_type: "cobol" }, 400],
  ]) {
    assert.equal(await status(client.tools.create(wrong)), code, JSON.stringify(wrong));
  }
});

test("the built-in tools are listed first and come back", async () => {
  const [tool] = await all(client.tools.list({ name: "memory_insert" }));
  assert.equal(tool.tool_type, "letta_sleeptime_core");
  await client.tools.delete(tool.id);
  assert.equal((await all(client.tools.list({ name: "memory_insert" }))).length, 1);
  assert.equal((await all(client.tools.list({ return_only_letta_tools: true, limit: 10 }))).length, 26);
});

test("a TypeScript tool is attached, called by an agent, run by hand and detached", async () => {
  const agent = await client.agents.create({ model: "openai/gpt-4.1", memory_blocks: [{ label: "human", value: "Tim" }] });
  const tool = await client.tools.create({ source_code: GREET, source_type: "typescript", json_schema: SCHEMA });
  assert.equal(tool.source_type, "typescript");
  await client.agents.tools.attach(tool.id, { agent_id: agent.id });
  const attached = await all(client.agents.tools.list(agent.id));
  assert.ok(attached.some((one) => one.name === "greet"));

  await model.script({ tool_calls: [{ name: "greet", arguments: { name: "Tim" } }] }, { text: "Greeted." });
  const done = await client.agents.messages.create(agent.id, { input: "Greet me." });
  const returned = done.messages.find((message) => message.message_type === "tool_return_message");
  assert.deepEqual([returned.tool_return, returned.status], ["Hello, Tim!", "success"]);

  const run = await client.agents.tools.run("greet", { agent_id: agent.id, args: { name: "Tim", style: "short" } });
  assert.deepEqual([run.status, run.func_return], ["success", "Tim"]);

  await client.agents.tools.updateApproval("greet", { agent_id: agent.id, body_requires_approval: true });
  await model.script({ tool_calls: [{ name: "greet", arguments: { name: "Tim" } }] });
  const paused = await client.agents.messages.create(agent.id, { input: "Again." });
  assert.equal(paused.stop_reason.stop_reason, "requires_approval");
  await client.agents.messages.cancel(agent.id);

  await client.agents.tools.detach(tool.id, { agent_id: agent.id });
  assert.equal(await status(client.agents.tools.run("greet", { agent_id: agent.id })), 404);
});
