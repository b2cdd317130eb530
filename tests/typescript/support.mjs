// The programs the tests drive: a fake model and `loci serve`, each ended by its own process id.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import readline from "node:readline";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const programs = process.env.LOCI_PROGRAMS ?? path.join(here, "../../target/debug");
export const TOKEN = "token-for-tests-0123456789abcdef";

const cleanEnv = (more = {}) => ({ PATH: process.env.PATH, HOME: process.env.HOME, ...more });

async function start(name, args, env, ready) {
  const child = spawn(path.join(programs, name), args, { env, stdio: ["ignore", "pipe", "pipe"] });
  const said = [];
  const found = new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      readline.createInterface({ input: stream }).on("line", (line) => {
        said.push(line);
        const match = ready.exec(line);
        if (match) resolve(match[1]);
      });
    }
    child.on("exit", (code) => reject(new Error(`${name} ended with ${code}:\n${said.join("\n")}`)));
    child.on("error", reject);
  });
  return { child, url: await found };
}

async function kill(child) {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
}

export async function startModel() {
  const { child, url } = await start("fake-model", ["--port", "0"], cleanEnv(), /(http:\/\/127\.0\.0\.1:\d+)/);
  const call = async (method, route, body) => {
    const answer = await fetch(url + route, {
      method,
      headers: { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    return text ? JSON.parse(text) : undefined;
  };
  return {
    url,
    script: (...replies) => call("POST", "/control/script", replies),
    requests: async () => (await call("GET", "/control/requests")).map((one) => one.body ?? one),
    close: () => kill(child),
  };
}

export async function startServer(model) {
  const data = mkdtempSync(path.join(tmpdir(), "loci-ts-"));
  const env = cleanEnv({
    OPENAI_API_KEY: "sk-fake-openai-key",
    OPENAI_BASE_URL: `${model.url}/v1`,
  });
  const begin = () =>
    start("loci", ["serve", "--port", "0", "--data", data, "--token", TOKEN], env, /ready at (http:\/\/127\.0\.0\.1:\d+)/);
  let running = await begin();
  return {
    get url() {
      return running.url;
    },
    async restart() {
      await kill(running.child);
      running = await begin();
    },
    async close() {
      await kill(running.child);
      rmSync(data, { recursive: true, force: true });
    },
  };
}

export function runNode(file, env) {
  const child = spawn(process.execPath, [path.join(here, file)], { env: cleanEnv(env), stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (data) => { output += data; });
  child.stderr.on("data", (data) => { output += data; });
  return once(child, "exit").then(([code]) => ({ code, output }));
}
