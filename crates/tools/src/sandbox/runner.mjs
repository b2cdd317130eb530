// Runs one call of a person's function inside the confinement and reports what came of it.
// Input: one JSON object on descriptor 0. Output: one JSON object on the descriptor named by the last argument.
// Standard output and error belong to the person's code alone.
import { readFileSync, writeSync } from "node:fs";
import { Module, createRequire } from "node:module";
import { join } from "node:path";
import { inspect } from "node:util";
import vm from "node:vm";

const resultFd = Number(process.argv.at(-1));

function report(outcome) {
  const bytes = Buffer.from(JSON.stringify(outcome), "utf8");
  for (let at = 0; at < bytes.length; ) at += writeSync(resultFd, bytes, at);
}

function failure(error) {
  const isError = error instanceof Error || (error !== null && typeof error === "object" && "message" in error);
  const name = isError ? (error.name ?? "Error") : "Error";
  const message = isError ? String(error.message) : String(error);
  const lines = isError && typeof error.stack === "string" ? error.stack.split("\n") : [];
  const own = lines.filter((line) => !/^\s+at /.test(line) || line.includes("tool.ts"));
  return { ok: false, error: name, message, traceback: `${own.join("\n")}\n` };
}

/** The value by JSON's rules; whatever has none of them becomes its text. */
function toJson(value, parents = []) {
  if (value === null || value === undefined) return null;
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "bigint" || typeof value === "symbol" || typeof value === "function") return String(value);
  if (parents.length > 60 || parents.includes(value)) return String(value);
  const inner = (item) => toJson(item, [...parents, value]);
  if (typeof value.toJSON === "function") return inner(value.toJSON());
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : Array.from(value, inner);
  }
  const kind = Object.prototype.toString.call(value);
  if (Array.isArray(value)) return value.map(inner);
  if (kind === "[object Map]") return Object.fromEntries([...value].map(([k, v]) => [String(k), inner(v)]));
  if (kind === "[object Set]") return [...value].map(inner);
  if (kind === "[object Error]") return { name: value.name, message: value.message };
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, inner(v)]));
}

async function run(request) {
  // The source arrives as JavaScript, its types blanked out and its exports collected in `exports`.
  const from = request.modules ?? request.work_dir;
  const require = createRequire(join(from, "tool.cjs"));
  const wrapper = `(async (exports, require, __import) => {"use strict";${request.source}\n})`;
  const script = new vm.Script(wrapper, { filename: "tool.ts" });
  const exports = {};
  const load = async (name) => {
    try {
      return await import(name.startsWith("node:") || Module.builtinModules.includes(name) ? name : require.resolve(name));
    } catch (error) {
      throw new Error(`the package '${name}' cannot be loaded: ${error.message}`);
    }
  };
  process.chdir(request.work_dir);
  const last = await script.runInThisContext()(exports, require, load);
  if (request.mode === "script") return { ok: true, value: last === undefined ? [] : [inspect(last)] };
  const tool = exports[request.function];
  if (typeof tool !== "function") throw new Error(`the source exports no function named '${request.function}'`);
  const names = request.parameters;
  const unknown = Object.keys(request.arguments).filter((name) => !names.includes(name) && name !== "request_heartbeat");
  if (unknown.length > 0) throw new TypeError(`${request.function}() has no parameter named '${unknown[0]}'`);
  const value = await tool(...names.map((name) => request.arguments[name]));
  return { ok: true, value: toJson(value) };
}

let outcome;
try {
  // The request comes after 8 bytes that say how long it is, and ends the input.
  const request = JSON.parse(readFileSync(0).subarray(8).toString("utf8"));
  Object.assign(process.env, request.env);
  outcome = await run(request);
} catch (error) {
  outcome = failure(error);
}
report(outcome);
// What is still written to a pipe leaves before the process does; timers and sockets must not hold it back.
await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write("", done))));
process.exit(0);
