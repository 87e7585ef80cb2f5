// What all tests stand on: one server, apps that talk to it through the vendor's SDK, and the record of what they called.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { join } from "node:path";
import { Server, SITE } from "./server.mjs";

// From the folder that we run in: `newest/` has another version of the SDK, and the same tests.
const installed = createRequire(join(process.cwd(), "package.json"));
export const { createClient } = installed("@supabase/supabase-js");
export const sdkFile = (path) => installed.resolve(path);

export const PASSWORD = "copper kettle seven lanterns";
export const OTHER = "seven kettle lanterns copper";
export const UNKNOWN_ID = "7d2f2c4e-6f0f-4b8e-9d3a-0f6f1f1f9a11";
export const BACK = `${SITE}/back?from=mail`;

export let server;
let clients = 0;
const open = [];
const called = new Set();
/** Each header that the SDK has sent: a browser asks for all of them beforehand. */
export const sent = new Set();
/** Each method that a test says it exercises. */
export const covered = new Map();

before(async () => (server = await Server.start()));
after(async () => {
  for (const client of open) await client.auth.dispose?.();
  await server?.stop();
});

/** A test of these methods of the SDK: `signUp`, `admin.createUser`. Whoever names one has to call it. */
export function covers(methods, title, run) {
  for (const method of methods) covered.set(method, title);
  test(`${methods.join(", ")}: ${title}`, async (t) => {
    called.clear();
    await run(t);
    const idle = methods.filter((method) => !called.has(method));
    assert.deepEqual(idle, [], "the test names methods that it does not call");
  });
}

/** An app with its own store: `createClient`, as apps call it. */
export function app({ key = server.keys.publishable, ...auth } = {}) {
  clients += 1;
  const client = createClient(server.url, key, {
    auth: { autoRefreshToken: false, storage: store(), storageKey: `app-${clients}`, ...auth },
    // Node 20 has no WebSocket, and nothing here speaks it.
    realtime: { transport: class {} },
    global: { fetch: noting },
  });
  open.push(client);
  return { ...client, client, auth: recorded(client.auth, "") };
}

function noting(address, request) {
  for (const name of new Headers(request?.headers).keys()) sent.add(name);
  return fetch(address, request);
}

/** A back end with the secret key. */
export function backEnd(options) {
  return app({ key: server.keys.secret, persistSession: false, ...options }).auth.admin;
}

/** As the SDK's own, but for Node. */
export function store() {
  const values = new Map();
  return {
    values,
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
  };
}

const APIS = ["admin", "mfa", "passkey", "oauth", "customProviders", "webauthn", "recoveryCodes"];

/** The same object, which notes what is called of it. */
function recorded(object, path) {
  return new Proxy(object, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value === "function") {
        return (...args) => {
          called.add(path + String(name));
          return value.apply(target, args);
        };
      }
      return APIS.includes(name) ? recorded(value, `${path}${name}.`) : value;
    },
  });
}

/** What came, where nothing went wrong. */
export function went({ data, error }) {
  assert.equal(error, null, error && `${error.name} ${error.status} ${error.code}: ${error.message}`);
  return data;
}

/** Fails unless the app sees this error. */
export function fails({ data, error }, status, code, name = "AuthApiError") {
  assert.ok(error, `it went well: ${JSON.stringify(data)}`);
  const { status: gotStatus, code: gotCode, name: gotName, message } = error;
  assert.deepEqual({ status: gotStatus, code: gotCode, name: gotName }, { status, code, name }, message);
  assert.equal(typeof message, "string");
  assert.ok(message.length > 0);
  return error;
}

export function noSession(answer) {
  // The SDK says so by itself where it has no session, and else in the words of the server.
  return fails(answer, 400, undefined, "AuthSessionMissingError");
}

let people = 0;

/** An address that nobody has yet. */
export function someone() {
  people += 1;
  return `ada-${process.pid}-${people}@example.com`;
}

/** An app with somebody signed in who has just made an account. */
export async function signedUp({ data = {}, ...options } = {}) {
  const email = someone();
  const { auth, client } = app(options);
  went(await auth.signUp({ email, password: PASSWORD, options: { data } }));
  const { code } = await server.mail(email);
  const { session, user } = went(await auth.verifyOtp({ email, token: code, type: "signup" }));
  return { auth, client, email, session, user };
}

/** Another app of the same person. */
export async function signedIn(email, password = PASSWORD, options) {
  const { auth } = app(options);
  const { session, user } = went(await auth.signInWithPassword({ email, password }));
  return { auth, session, user };
}

export function claimsOf(token) {
  return JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
}

/** A session as those of the vendor. */
export function isSession(session, email) {
  assert.equal(session.token_type, "bearer");
  // The SDK counts down, where it was handed a token.
  assert.ok(Math.abs(session.expires_in - 3600) < 60);
  assert.ok(Math.abs(session.expires_at - Date.now() / 1000 - 3600) < 60);
  assert.equal(session.user.email, email);
  assert.equal(session.user.aud, "authenticated");
  assert.equal(session.user.role, "authenticated");
  assert.match(session.refresh_token, /./);
  const claims = claimsOf(session.access_token);
  assert.equal(claims.sub, session.user.id);
  assert.equal(claims.iss, `${server.url}/auth/v1`);
}
