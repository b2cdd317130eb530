// The official TypeScript SDK against a real server: the quickstart, and client tools in every mode.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import Letta from "@letta-ai/letta-client";
import { runNode, startModel, startServer, TOKEN } from "./support.mjs";

const CODE = "BLUE-HERON-42";
const GET_CODE = {
  name: "get_secret_code",
  description: "Returns the secret code for a word.",
  parameters: { type: "object", properties: { word: { type: "string" } }, required: ["word"] },
};
const call = (word) => ({ name: "get_secret_code", arguments: { word } });
const answer = (...ids) => ({
  type: "approval",
  approvals: ids.map((id) => ({ type: "tool", tool_call_id: id, tool_return: CODE, status: "success" })),
});
const kinds = (messages) => messages.map((message) => message.message_type);

let model;
let server;
let client;

const connect = () => new Letta({ baseURL: server.url, apiKey: TOKEN, maxRetries: 0 });
const newAgent = (more = {}) =>
  client.agents.create({
    model: "openai/gpt-4.1",
    memory_blocks: [{ label: "human", value: "Name: Timber." }],
    ...more,
  });

async function collect(stream) {
  const events = [];
  for await (const event of stream) events.push(event);
  return events;
}

before(async () => {
  model = await startModel();
  server = await startServer(model);
  client = connect();
});

after(async () => {
  await server?.close();
  await model?.close();
});

test("the quickstart runs unchanged", async () => {
  await model.script({ text: "You are Timber." });
  const { code, output } = await runNode("hello-world.mjs", { LETTA_BASE_URL: server.url, LETTA_API_KEY: TOKEN });
  assert.equal(code, 0, output);
  assert.match(output, /Agent created with ID: agent-/);
  assert.match(output, /You are Timber\./);
});

test("a client tool pauses the agent, the answer moves it on, and it is remembered", async () => {
  const agent = await newAgent();
  await model.script({ tool_calls: [call("heron")] });
  const paused = await client.agents.messages.create(agent.id, { input: "The code?", client_tools: [GET_CODE] });
  assert.equal(paused.stop_reason.stop_reason, "requires_approval");
  const request = paused.messages.find((message) => message.message_type === "approval_request_message");
  assert.deepEqual(JSON.parse(request.tool_call.arguments), { word: "heron" });

  await server.restart();
  client = connect();
  await model.script({ text: `It is ${CODE}.` });
  const done = await client.agents.messages.create(agent.id, { messages: [answer(request.tool_call.tool_call_id)] });
  assert.equal(done.messages.at(-1).content, `It is ${CODE}.`);

  await model.script({ text: `It was ${CODE}.` });
  const later = await client.agents.messages.create(agent.id, { input: "Again?" });
  assert.equal(later.messages.at(-1).content, `It was ${CODE}.`);
  assert.ok(JSON.stringify((await model.requests()).at(-1).messages).includes(CODE));

  const history = [];
  for await (const message of client.agents.messages.list(agent.id, { order: "asc" })) history.push(message);
  const seen = kinds(history).filter((kind) => kind !== "approval_response_message");
  assert.deepEqual(seen, [
    "system_message", "user_message", "approval_request_message", "tool_return_message", "assistant_message",
    "user_message", "assistant_message",
  ]);
});

for (const tokens of [false, true]) {
  test(`streaming by ${tokens ? "tokens" : "steps"}`, async () => {
    const agent = await newAgent();
    await model.script({ text: "Let me look.", tool_calls: [call("heron")] });
    const first = await collect(
      await client.agents.messages.create(agent.id, {
        input: "The code?", client_tools: [GET_CODE], streaming: true, stream_tokens: tokens,
      }),
    );
    assert.equal(first.find((event) => event.message_type === "stop_reason").stop_reason, "requires_approval");
    const requests = first.filter((event) => event.message_type === "approval_request_message");
    const text = requests.map((event) => event.tool_call.arguments ?? "").join("");
    assert.deepEqual(JSON.parse(text), { word: "heron" });
    const id = requests.map((event) => event.tool_call.tool_call_id).find(Boolean);

    await model.script({ text: `It is ${CODE}.` });
    const second = await collect(
      await client.agents.messages.create(agent.id, { messages: [answer(id)], streaming: true, stream_tokens: tokens }),
    );
    const said = second.filter((event) => event.message_type === "assistant_message").map((event) => event.content);
    assert.equal(said.join(""), `It is ${CODE}.`);
  });
}

test("parallel calls in a conversation are answered as one set", async () => {
  const agent = await newAgent({ parallel_tool_calls: true });
  const conversation = await client.conversations.create({ agent_id: agent.id });
  await model.script({ tool_calls: [call("heron"), call("crane")] });
  const first = await collect(
    await client.conversations.messages.create(conversation.id, { input: "Both?", client_tools: [GET_CODE], streaming: true }),
  );
  const request = first.find((event) => event.message_type === "approval_request_message");
  const ids = request.tool_calls.map((one) => one.tool_call_id);
  assert.equal(ids.length, 2);
  await model.script({ text: "Both known." });
  const second = await collect(
    await client.conversations.messages.create(conversation.id, { messages: [answer(...ids)], streaming: true }),
  );
  assert.equal(second.findLast((event) => event.message_type === "assistant_message").content, "Both known.");
});

test("a denial reaches the agent", async () => {
  const agent = await newAgent();
  await model.script({ tool_calls: [call("heron")] });
  const paused = await client.agents.messages.create(agent.id, { input: "The code?", client_tools: [GET_CODE] });
  const id = paused.messages.at(-1).tool_call.tool_call_id;
  await model.script({ text: "As you wish." });
  const done = await client.agents.messages.create(agent.id, {
    messages: [{ type: "approval", approvals: [{ type: "approval", tool_call_id: id, approve: false, reason: "no" }] }],
  });
  assert.equal(done.messages.at(-1).content, "As you wish.");
  assert.ok(JSON.stringify((await model.requests()).at(-1).messages).includes("User reason: no"));
});
