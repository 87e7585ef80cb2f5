// A development server of our own: the built binary in a fresh folder on a free port, its administrator, its mailbox.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

// The machine may be crowded: this is when a test gives up, not how long it takes.
export const PATIENCE = 60_000;
// Everybody here comes from one address, and means no harm. The limits have tests of their own.
const NO_LIMITS = Object.fromEntries(
  ["attempts_by_address", "passwords_by_address", "codes_by_address", "codes_by_identifier", "sends_by_target",
    "sends_by_target_daily", "sends_by_address", "sign_ups_by_address", "tokens_by_address", "keys_by_address"]
    .map((name) => [name, { burst: 100_000, per_seconds: 1 }]),
);

export const PASSWORD = "copper kettle seven lanterns";
let people = 0;

export class Server {
  /** Starts one with these settings. */
  static async start(binary, settings = {}) {
    const folder = await mkdtemp(join(tmpdir(), "latchstring-browser-"));
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("LATCHSTRING")));
    Object.assign(env, {
      LATCHSTRING_LISTEN: "127.0.0.1:0",
      LATCHSTRING_DATABASE: `sqlite:${join(folder, "latchstring.db")}`,
    });
    const server = new Server(folder, env, spawn(binary, ["dev"], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] }));
    try {
      await server.#begin(settings);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  constructor(folder, env, child) {
    Object.assign(this, { folder, env, child, log: "", key: null });
    this.ended = new Promise((resolve) => child.once("close", resolve));
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (text) => (this.log = (this.log + text).slice(-20_000)));
    }
  }

  async #begin(settings) {
    const said = (pattern) => until(() => {
      assert.equal(this.child.exitCode, null, `the server ended:\n${this.log}`);
      return this.log.match(pattern)?.[1];
    }, `the server to say ${pattern}`);
    /** Its own origin: http://localhost and the port. */
    this.url = await said(/start here +(http:\/\/localhost:\d+)\/\s/);
    const token = await said(/set-up token: (\S+)\s/);
    this.key = (await this.api("POST", "/setup", { token })).key;
    await this.api("PATCH", "/settings", { limits: NO_LIMITS, ...settings });
  }

  /** A call by the administrator. */
  async api(method, path, body) {
    const headers = { "Content-Type": "application/json" };
    if (this.key) headers.Authorization = `Bearer ${this.key}`;
    const answer = await fetch(`${this.url}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  }

  /** A person whose address the administrator vouches for. `password: null` for somebody who has none. */
  async person({ password = PASSWORD, name } = {}) {
    const email = someone();
    const body = { email, email_asserted: true, ...(password && { password }), ...(name && { name }) };
    const { id } = await this.api("POST", "/users", body);
    return { id, email, password };
  }

  /** The newest mail to an address, once there are `count`. */
  async mail(to, count = 1) {
    return until(async () => {
      const mails = await (await fetch(`${this.url}/dev/mail.json?to=${encodeURIComponent(to)}`)).json();
      return mails.length >= count && mails[0];
    }, `mail no. ${count} to ${to}`);
  }

  async stop() {
    this.child.kill("SIGTERM");
    await this.ended;
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** An address that nobody has yet. */
export function someone(domain = "example.com") {
  people += 1;
  return `ada-${process.pid}-${people}@${domain}`;
}

/** Asks again until there is an answer. */
export async function until(ask, what, patience = PATIENCE) {
  const end = performance.now() + patience;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    assert.ok(performance.now() < end, `waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
