// Reducer and projection on what a server really sent (`logs/`, written by `logs/record.py`): whole, cut and picked
// up again, repeated, out of order, mixed with what this version does not know.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { told } from "@/test/told";
import { decodeFrame, decodeMessage, type Message, type RunEvent, readFrames } from "./events";
import { type Progress, project } from "./project";
import { IDLE, type RunState, reduce, storedKeys } from "./reducer";

type Log = { name: string; streams: string[]; stored: Message[] };

const FOLDER = new URL("./logs/", import.meta.url);
const LOGS: Log[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".jsonl"))
  .map((file) => {
    const lines = readFileSync(new URL(file, FOLDER), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    return {
      name: file.replace(".jsonl", ""),
      streams: lines.flatMap((line) => line.stream ?? []),
      stored: lines.at(-1).stored.map(decodeMessage),
    };
  });

const OVER: Progress = { active: false, waiting: new Set() };

/** The same numbers in every run of the test; a failure names its seed. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
const SEEDS = Array.from({ length: 40 }, (_, seed) => seed + 1);

async function eventsOf(stream: string, random: () => number = () => 1): Promise<RunEvent[]> {
  const bytes = new TextEncoder().encode(stream);
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; ) {
        const length = Math.max(1, Math.ceil(random() * 600));
        controller.enqueue(bytes.slice(at, at + length));
        at += length;
      }
      controller.close();
    },
  });
  const events: RunEvent[] = [];
  for await (const { data } of readFrames(body)) events.push(decodeFrame(data));
  return events;
}

const play = (events: readonly RunEvent[], from: RunState): RunState =>
  events.reduce<RunState>((state, event, at) => reduce(state, { type: "event", event, at }), from);
/** What the person sent before the nth stream, as the window shows it before it is stored. */
const begin = (log: Log, nth: number, before: RunState): RunState => {
  const sent = log.stored.filter(({ type }) => type === "user")[nth] ?? null;
  return reduce(before, { type: "submitted", message: sent, at: 0 });
};
/** All streams one after the other, each perhaps disturbed on its way. */
async function played(log: Log, disturb: (events: RunEvent[], before: RunState) => RunState) {
  let state = IDLE;
  for (const [nth, stream] of log.streams.entries())
    state = reduce(disturb(await eventsOf(stream), begin(log, nth, state)), { type: "ended" });
  return state;
}
/** What a person decides is in no stream: the window reads it again when the run that follows has begun. */
const shown = (log: Log, { live }: RunState) =>
  told(project(log.stored.slice(0, log.stored.findLastIndex(isAnswer) + 1), live, OVER));
const isAnswer = ({ type }: Message) => type === "approval_response";
const pick = <T>(list: readonly T[], random: () => number) => list[Math.floor(random() * list.length)] as T;

it("has logs of all that happens in runs", () => {
  const kinds = new Set(LOGS.flatMap(({ stored }) => stored.map(({ type }) => type)));
  expect(LOGS).toHaveLength(5);
  for (const kind of ["user", "assistant", "reasoning", "tool_call", "tool_return", "approval_request"])
    expect(kinds).toContain(kind);
});

describe.each(LOGS)("the log '$name'", (log) => {
  const stored = told(project(log.stored, [], OVER));

  it("shows while it runs what is stored in the end", async () => {
    const state = await played(log, play);
    expect(shown(log, state)).toEqual(stored);
    expect(state.stopReason).not.toBeNull();
    // Read again, nothing of it is live any more, and nothing moves on screen.
    const settled = reduce(state, { type: "settled", stored: storedKeys(log.stored) });
    expect(settled.live).toEqual([]);
    expect(told(project(log.stored, state.live, OVER))).toEqual(stored);
  });

  it("is the same however the network cuts its bytes", async () => {
    for (const seed of SEEDS) {
      const random = chance(seed);
      for (const stream of log.streams)
        expect(await eventsOf(stream, random), `seed ${seed}`).toEqual(await eventsOf(stream));
    }
  });

  it("is the same after any beginning, picked up again from anywhere before it", async () => {
    const longest = Math.max(
      ...(await Promise.all(log.streams.map((stream) => eventsOf(stream)))).map(({ length }) => length),
    );
    for (let cut = 0; cut <= longest; cut += 1) {
      for (const again of [0, Math.floor(cut / 2), cut]) {
        const state = await played(log, (events, before) =>
          play(events.slice(again), reduce(play(events.slice(0, cut), before), { type: "stream_cut" })),
        );
        expect(shown(log, state), `cut at ${cut}, again from ${again}`).toEqual(stored);
      }
    }
  });

  it("takes an event once however often it comes", async () => {
    for (const seed of SEEDS) {
      const random = chance(seed);
      const state = await played(log, (events, before) =>
        play(
          events.flatMap((event, at) =>
            random() < 0.5 ? [event] : [event, pick(events.slice(0, at + 1), random)],
          ),
          before,
        ),
      );
      expect(shown(log, state), `seed ${seed}`).toEqual(stored);
    }
  });

  it("never shows a piece twice or in another's place when the order is lost, and is right once it is stored", async () => {
    for (const seed of SEEDS) {
      const random = chance(seed);
      const state = await played(log, (events, before) =>
        play(
          events
            .map((event, at) => ({ event, at: at + random() * 6 }))
            .sort((a, b) => a.at - b.at)
            .map(({ event }) => event),
          before,
        ),
      );
      for (const { message } of state.live) {
        const whole = log.stored.find(({ id, type }) => id === message.id && type === message.type);
        if (whole && "text" in message && "text" in whole)
          expect(isWithin(message.text, whole.text), `seed ${seed}: ${message.text}`).toBe(true);
      }
      expect(told(project(log.stored, state.live, OVER)), `seed ${seed}`).toEqual(stored);
    }
  });

  it("loses nothing to what it does not know", async () => {
    const strange = [
      '{"message_type":"holo_message","id":"message-holo","seq_id":null}',
      '{"id":"message-none"}',
      "null",
      "{",
      '{"message_type":"tool_call_message","tool_calls":"?"}',
      '{"message_type":"ping"}',
    ].map(decodeFrame);
    for (const seed of SEEDS) {
      const random = chance(seed);
      const state = await played(log, (events, before) =>
        play(
          events.flatMap((event) => (random() < 0.3 ? [pick(strange, random), event] : [event])),
          before,
        ),
      );
      const known = shown(log, state)
        .flat()
        .filter((line) => !line.startsWith("unknown"));
      expect(known, `seed ${seed}`).toEqual(stored.flat());
    }
  });
});

/** Whether all of `part` is in `whole`, in its order. */
function isWithin(part: string, whole: string): boolean {
  let at = 0;
  for (const character of part) {
    at = whole.indexOf(character, at);
    if (at < 0) return false;
    at += character.length;
  }
  return true;
}
