// A development server of our own: the built binary in a fresh folder on a free port, its administrator, its mailbox,
// and a mount of the Supabase dialect.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

// The machine may be crowded: this is when a test gives up, not how long it takes.
const PATIENCE = 60_000;
// Everybody here comes from one address, and means no harm. Those of mail have a test of their own.
const NO_LIMITS = Object.fromEntries(
  ["attempts_by_address", "passwords_by_address", "codes_by_address", "codes_by_identifier", "sends_by_target",
    "sends_by_target_daily", "sends_by_address", "sign_ups_by_address", "tokens_by_address", "keys_by_address"]
    .map((name) => [name, { burst: 100_000, per_seconds: 1 }]),
);

/** Where the app of these tests lives. Nobody listens there: its pages are never opened. */
export const SITE = "http://localhost:3000";

export class Server {
  #seen = new Map();

  /** Starts one, and prepares a mount that tells as much as the vendor does. */
  static async start() {
    const binary = process.env.LATCHSTRING_BINARY;
    assert.ok(binary, "name the built server in LATCHSTRING_BINARY");
    const folder = await mkdtemp(join(tmpdir(), "latchstring-supabase-"));
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("LATCHSTRING")));
    Object.assign(env, {
      LATCHSTRING_LISTEN: "127.0.0.1:0",
      // An empty PostgreSQL, if one is named.
      LATCHSTRING_DATABASE: process.env.LATCHSTRING_DATABASE ?? `sqlite:${join(folder, "latchstring.db")}`,
    });
    const child = spawn(binary, ["dev"], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    const server = new Server(binary, folder, env, child);
    try {
      await server.#begin();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  constructor(binary, folder, env, child) {
    Object.assign(this, { binary, folder, env, child, log: "", key: null });
    this.ended = new Promise((resolve) => child.once("close", resolve));
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (text) => (this.log = (this.log + text).slice(-20_000)));
    }
  }

  async #begin() {
    const said = (pattern) => until(() => {
      assert.equal(this.child.exitCode, null, `the server ended:\n${this.log}`);
      return this.log.match(pattern)?.[1];
    }, `the server to say ${pattern}`);
    /** Its own origin: http://localhost and the port. */
    this.url = await said(/start here +(http:\/\/localhost:\d+)\/\s/);
    const token = await said(/set-up token: (\S+)\s/);
    this.key = (await this.api("POST", "/setup", { token })).key;
    await this.set({ limits: NO_LIMITS, guests: true });
    const made = await this.init("--site-url", SITE, "--redirect", `${SITE}/**`, "--enumeration", "vendor");
    assert.equal(made.url, this.url);
    this.keys = made.keys;
    await until(async () => (await fetch(`${this.url}/auth/v1/health`)).ok, "the mount");
  }

  /** `latchstring dialect supabase init`, beside the running server. */
  async init(...flags) {
    const args = ["dialect", "supabase", "init", "--json", ...flags];
    const { stdout } = await promisify(execFile)(this.binary, args, { cwd: this.folder, env: this.env });
    return JSON.parse(stdout);
  }

  /** Takes over what a project's `config.toml` says. */
  async config(text) {
    return this.init("--from", await this.#file("config.toml", text));
  }

  /** Brings a signing key along, as a project that moves here does. The mount signs by it from then on, and so do we. */
  async importKey() {
    if (this.signing) return;
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const kid = randomUUID();
    const jwk = { ...privateKey.export({ format: "jwk" }), kid, alg: "ES256", use: "sig" };
    await this.init("--signing-keys", await this.#file("signing_keys.json", JSON.stringify([jwk])));
    this.signing = { kid, privateKey };
    await until(async () => {
      const { keys } = await (await fetch(`${this.url}/auth/v1/.well-known/jwks.json`)).json();
      return keys.some((key) => key.kid === kid);
    }, "the key of the project");
  }

  /** An access token by that key. */
  sign(claims, privateKey = this.signing.privateKey) {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const text = `${part({ alg: "ES256", kid: this.signing.kid, typ: "JWT" })}.${part(claims)}`;
    const signature = sign("sha256", Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" });
    return `${text}.${signature.toString("base64url")}`;
  }

  /** A file in its folder that only its owner reads. */
  async #file(name, text) {
    const path = join(this.folder, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
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

  set(settings) {
    return this.api("PATCH", "/settings", settings);
  }

  /** Other settings of the realm while a test runs. */
  async during(t, settings) {
    const before = await this.api("GET", "/settings");
    const values = before.settings ?? before;
    const back = Object.fromEntries(Object.keys(settings).map((name) => [name, values[name]]));
    t.after(() => this.set(back));
    await this.set(settings);
  }

  /** The next mail to an address with a link to go on by, after the one that this gave before. Notices are left out. */
  async mail(to) {
    const seen = this.#seen.get(to) ?? 0;
    const goesOn = ({ n, link }) => n > seen && link && new URL(link).searchParams.has("token");
    const mail = await until(async () => (await this.mails(to)).find(goesOn), `a mail to ${to}`);
    this.#seen.set(to, mail.n);
    return mail;
  }

  async mails(to) {
    return (await fetch(`${this.url}/dev/mail.json?to=${encodeURIComponent(to)}`)).json();
  }

  async stop() {
    this.child.kill("SIGTERM");
    await this.ended;
    await rm(this.folder, { recursive: true, force: true });
  }
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
