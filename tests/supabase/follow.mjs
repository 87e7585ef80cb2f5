// From a mailed link to an app: our page in between, and how the SDK finds its session at the end.
import assert from "node:assert/strict";
import { Browser } from "./browser.mjs";
import { until } from "./server.mjs";
import { BACK, app, server, went } from "./stage.mjs";

/** Follows a link, presses the button of its page, and types a password where the page asks for one. */
export async function follow(link, typed, { optional = false } = {}) {
  const browser = new Browser(server);
  const page = await browser.open(link);
  assert.equal(page.status, 200, page.page);
  assert.equal(page.path, "/verify");
  let next = await browser.submit();
  if (typed && (!optional || next.page)) {
    assert.match(next.page ?? "", /name="password"/);
    next = await browser.submit(typed);
  }
  assert.ok(next.away, next.page);
  return next.away;
}

/** The session that stands in the fragment of an address. */
export function inFragment(away, type) {
  assert.equal(away.origin + away.pathname + away.search, BACK);
  const found = Object.fromEntries(new URLSearchParams(away.hash.slice(1)));
  assert.equal(found.type, type);
  assert.equal(found.token_type, "bearer");
  assert.equal(found.expires_in, "3600");
  assert.ok(Math.abs(Number(found.expires_at) - Date.now() / 1000 - 3600) < 60);
  assert.ok(found.access_token && found.refresh_token);
  return found;
}

/** An app that opens at an address, as in a browser: what it hears, and what it has then. */
export async function arrives(away, options = {}) {
  const location = new URL(away);
  const browser = {
    window: { location, history: { state: null, replaceState: (_state, _title, to) => (location.href = to) } },
    document: { visibilityState: "hidden" },
  };
  Object.assign(globalThis, browser);
  try {
    const heard = [];
    const { auth } = app({ ...options, detectSessionInUrl: true });
    auth.onAuthStateChange((event) => void heard.push(event));
    const { error } = await auth.initialize();
    const { session } = went(await auth.getSession());
    if (!error) await until(() => heard.some((event) => event !== "INITIAL_SESSION"), "an event");
    return { auth, error, heard, session, location };
  } finally {
    for (const name of Object.keys(browser)) delete globalThis[name];
  }
}
