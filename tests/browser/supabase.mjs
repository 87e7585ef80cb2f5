// An app of another origin with the official Supabase client, unmodified, against our server: links in mails, our pages in
// between, and several tabs of one browser.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { PASSWORD, Server, someone, until } from "./server.mjs";
import { site } from "./site.mjs";
import { visitor } from "./stage.mjs";
import { binary } from "./visitor.mjs";

const OTHER = "seven kettle lanterns copper";
const CLIENT = createRequire(import.meta.url).resolve("@supabase/supabase-js/dist/umd/supabase.js");
let server;
let app;
let keys;
const closing = [];

before(async () => {
  server = await Server.start(binary());
  closing.push(() => server.stop());
  // Lives as long as all tests here, not as one of them.
  app = await site({ after: (close) => closing.push(close) });
  keys = await init(server, app.foreign);
  app.put("/supabase.js", await readFile(CLIENT, "utf8"), "text/javascript");
  // What names no place leads back to the app's own origin, which the browser has told.
  for (const [path, flowType] of [["/", "implicit"], ["/implicit", "implicit"], ["/pkce", "pkce"]]) {
    app.put(path, `<h1>An app</h1><script src="/supabase.js"></script><script>
      const events = [];
      const client = supabase.createClient(${JSON.stringify(server.url)}, ${JSON.stringify(keys.publishable)},
        { auth: { flowType: ${JSON.stringify(flowType)} } });
      client.auth.onAuthStateChange((event) => void events.push(event));
    </script>`);
  }
});

after(async () => {
  for (const close of closing) await close();
});

/** Has the mount made for the app at `origin`, as an operator would, and gives its keys. */
async function init(server, origin) {
  const args = ["dialect", "supabase", "init", "--json", "--site-url", `${origin}/implicit`, "--redirect", `${origin}/**`];
  const { stdout } = await promisify(execFile)(binary(), args, { cwd: server.folder, env: server.env });
  await until(async () => (await fetch(`${server.url}/auth/v1/health`)).ok, "the mount to be there");
  return JSON.parse(stdout).keys;
}

/** Somebody who has the app open. */
async function opened(t, flowType = "implicit") {
  const v = await visitor(t, { server });
  await open(v.page, flowType);
  return v;
}

async function open(page, flowType = "implicit") {
  await page.goto(`${app.foreign}/${flowType}`);
}

/** Calls a method of `client.auth` in the page, and gives what it says; an error is the test's, unless it is expected. */
async function call(page, method, ...args) {
  const { data, error } = await attempt(page, method, ...args);
  assert.equal(error, null, `${method}: ${JSON.stringify(error)}`);
  return data;
}

function attempt(page, method, ...args) {
  return page.evaluate(async ({ method, args }) => {
    const { data, error } = await client.auth[method](...args);
    return { data, error: error && { code: error.code, name: error.name, message: error.message } };
  }, { method, args });
}

/** Waits until the client in the page has said that something happened. */
function said(page, event) {
  return page.waitForFunction((event) => typeof events !== "undefined" && events.includes(event), event);
}

const user = async (page) => (await call(page, "getUser")).user;

/** Opens the newest mail's link, presses the button of our page, and sets a password where it asks for one. */
async function followLink(v, email, { count = 1, password } = {}) {
  await v.go((await server.mail(email, count)).link);
  assert.equal(new URL(v.page.url()).origin, server.url, "the page behind a link is ours");
  const back = v.page.waitForURL(`${app.foreign}/**`);
  if (password) {
    await v.send("/verify", {});
    await v.$('form[action="/verify/password"] [name="password"]').fill(password);
    await v.$('form[action="/verify/password"] button:not([formnovalidate])').first().click();
  } else {
    await v.$('form[action="/verify"] button').first().click();
  }
  await back;
}

/** Somebody whose account is there and who is signed in, in the app's own page. */
async function signedIn(t) {
  const v = await opened(t);
  const { email } = await server.person();
  await call(v.page, "signInWithPassword", { email, password: PASSWORD });
  return { v, email };
}

test("the Supabase client: sign-up, the link in the mail, a password on our page, and back in the app", async (t) => {
  const v = await opened(t);
  const email = someone();
  const { session } = await call(v.page, "signUp", { email, password: PASSWORD, options: { data: { name: "Ada" } } });
  assert.equal(session, null);
  await followLink(v, email, { password: OTHER });
  await said(v.page, "SIGNED_IN");
  const ada = await user(v.page);
  assert.equal(ada.email, email);
  assert.ok(ada.email_confirmed_at);
  assert.equal(new URL(v.page.url()).hash, "", "the client has taken the session out of the address");
  await call(v.page, "signOut");
  await call(v.page, "signInWithPassword", { email, password: OTHER });
});

test("the Supabase client: the link of a sign-in by mail", async (t) => {
  const v = await opened(t);
  const { email } = await server.person();
  await call(v.page, "signInWithOtp", { email, options: { emailRedirectTo: `${app.foreign}/implicit?from=mail` } });
  await followLink(v, email);
  await said(v.page, "SIGNED_IN");
  assert.equal(new URL(v.page.url()).search, "?from=mail");
  assert.equal((await user(v.page)).email, email);
});

test("the Supabase client: the link of a recovery", async (t) => {
  const v = await opened(t);
  const { email } = await server.person();
  await call(v.page, "resetPasswordForEmail", email, { redirectTo: `${app.foreign}/implicit` });
  await followLink(v, email, { password: null });
  await said(v.page, "PASSWORD_RECOVERY");
  await call(v.page, "updateUser", { password: OTHER });
  await call(v.page, "signOut");
  await call(v.page, "signInWithPassword", { email, password: OTHER });
});

test("the Supabase client with PKCE: a code comes back, and is exchanged in the browser that asked", async (t) => {
  const v = await opened(t, "pkce");
  const { email } = await server.person();
  await call(v.page, "signInWithOtp", { email, options: { emailRedirectTo: `${app.foreign}/pkce` } });
  const asked = app.asked.length;
  await followLink(v, email);
  await said(v.page, "SIGNED_IN");
  assert.equal((await user(v.page)).email, email);
  assert.ok(app.asked.slice(asked).some(({ url }) => /^\/pkce\?code=/.test(url)), "the address had a code");
  assert.equal(new URL(v.page.url()).search, "", "and has none any more");
});

test("the Supabase client with PKCE: a code alone is worth nothing in another browser", async (t) => {
  const [v, thief] = [await opened(t, "pkce"), await opened(t, "pkce")];
  const { email } = await server.person();
  await call(v.page, "signInWithOtp", { email, options: { emailRedirectTo: `${app.foreign}/pkce` } });
  await followLink(thief, email);
  assert.equal((await call(thief.page, "getSession")).session, null);
});

test("the Supabase client: two tabs refresh at once, and both keep the session", async (t) => {
  const { v } = await signedIn(t);
  const second = await v.context.newPage();
  await open(second);
  const refreshed = await Promise.all([v.page, second].map((page) => attempt(page, "refreshSession")));
  // Where the other tab was faster, the client itself leaves its own answer for the other's.
  const errors = refreshed.map(({ error }) => error?.name).filter((name) => name);
  assert.ok(errors.every((name) => name === "AuthRefreshDiscardedError") && errors.length < 2, JSON.stringify(refreshed));
  const [one, two] = await Promise.all([user(v.page), user(second)]);
  assert.equal(one.id, two.id);
  for (const page of [v.page, second]) await call(page, "refreshSession");
  await user(v.page);
});

test("the Supabase client: two tabs that show the same refresh token at the same moment", async (t) => {
  const { v } = await signedIn(t);
  const { session } = await call(v.page, "getSession");
  // Past the client's own lock between tabs.
  const refreshed = () => fetch(`${server.url}/auth/v1/token?grant_type=refresh_token`, {
    method: "POST",
    headers: { apikey: keys.publishable, "Content-Type": "application/json" },
    body: JSON.stringify({ refresh_token: session.refresh_token }),
  });
  const answers = await Promise.all([refreshed(), refreshed(), refreshed()]);
  const bodies = await Promise.all(answers.map((answer) => answer.json()));
  assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200], JSON.stringify(bodies));
  assert.equal(new Set(bodies.map((body) => body.refresh_token)).size, 1);
});

test("the Supabase client: signed out in one tab, refused in the other at once", async (t) => {
  const { v } = await signedIn(t);
  const second = await v.context.newPage();
  await open(second);
  const { access_token } = (await call(second, "getSession")).session;
  await call(v.page, "signOut");
  const answer = second.waitForResponse(`${server.url}/auth/v1/user`);
  const { error } = await attempt(second, "getUser", access_token);
  assert.equal(error?.name, "AuthSessionMissingError");
  assert.equal((await (await answer).json()).code, "session_not_found");
  await said(second, "SIGNED_OUT");
});

test("the Supabase client: a guest becomes a person by a code", async (t) => {
  const v = await opened(t);
  await server.api("PATCH", "/settings", { guests: true });
  const { user: guest } = await call(v.page, "signInAnonymously");
  assert.ok(guest.is_anonymous);
  const email = someone();
  await call(v.page, "updateUser", { email });
  const { code } = await server.mail(email);
  const { user: person } = await call(v.page, "verifyOtp", { email, token: code, type: "email_change" });
  assert.equal(person.id, guest.id);
  assert.equal(person.is_anonymous, false);
});
