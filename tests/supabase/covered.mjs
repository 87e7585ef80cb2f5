// Every public method of the installed SDK has a test here, or waits in a list that may only shrink.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { createClient, covered, sdkFile, sent, server } from "./stage.mjs";
import { SITE } from "./server.mjs";

const LIST = new URL("../../dialects/supabase/uncovered.txt", import.meta.url);
/** It may only shrink: a method that is covered leaves the list, and this number goes down with it. */
const MOST = 52;

const listed = readFileSync(LIST, "utf8").split("\n").map((line) => line.trim()).filter((line) => line && !line.startsWith("#"));

/** What the SDK's own types keep to themselves: JavaScript does not tell. */
function internal() {
  let folder = dirname(sdkFile("@supabase/supabase-js"));
  while (!existsSync(join(folder, "node_modules/@supabase/auth-js"))) folder = dirname(folder);
  const types = ["GoTrueClient", "GoTrueAdminApi"].map((name) =>
    readFileSync(join(folder, `node_modules/@supabase/auth-js/dist/main/${name}.d.ts`), "utf8"));
  const names = types.join("\n").matchAll(/^\s+(?:private|protected)\s+(?:static\s+)?(?:readonly\s+)?(?:get\s+|set\s+)?(\w+)/gm);
  return new Set([...names].map(([, name]) => name));
}

/** The methods of an object and of the objects below it. */
function methods(object, path, hidden, found = new Set(), seen = new Set()) {
  seen.add(object);
  for (let level = object; level && level !== Object.prototype; level = Object.getPrototypeOf(level)) {
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      if (name === "constructor" || name.startsWith("_") || hidden.has(name)) continue;
      const { value } = property;
      if (typeof value === "function") found.add(path + name);
      else if (value && typeof value === "object" && !seen.has(value)) methods(value, `${path}${name}.`, hidden, found, seen);
    }
  }
  return found;
}

test("each public method of the SDK is tested, or is listed as one that waits", () => {
  const { auth } = createClient("http://localhost:1", "key", { auth: { autoRefreshToken: false }, realtime: { transport: class {} } });
  const all = methods(auth, "", internal());
  assert.ok(all.has("signUp") && all.has("admin.createUser") && all.has("mfa.enroll"), "the SDK is not read");
  const missing = [...all].filter((name) => !covered.has(name) && !listed.includes(name));
  assert.deepEqual(missing, [], "write a test that `covers` these, in tests/supabase");
  const both = listed.filter((name) => covered.has(name));
  assert.deepEqual(both, [], "these are tested: take them out of dialects/supabase/uncovered.txt");
  const unknown = [...covered.keys()].filter((name) => !all.has(name));
  assert.deepEqual(unknown, [], "the SDK has no such methods");
  // An older SDK lacks some.
  const gone = basename(process.cwd()) === "newest" ? listed.filter((name) => !all.has(name)) : [];
  assert.deepEqual(gone, [], "the SDK no longer has these: take them out of dialects/supabase/uncovered.txt");
  assert.deepEqual(listed, [...new Set(listed)].sort(), "dialects/supabase/uncovered.txt is sorted, each method once");
});

test("the list of methods that wait may only shrink", () => {
  assert.ok(listed.length <= MOST, `${listed.length} methods wait; the list may only shrink, and held ${MOST}`);
  assert.ok(listed.length >= MOST, `only ${listed.length} methods wait: write that number into MOST, for the list may only shrink`);
});

test("a browser lets the SDK send its headers, and read those that it needs", async () => {
  const headers = { Origin: SITE, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": [...sent].join(", ") };
  const answer = await fetch(`${server.url}/auth/v1/user`, { method: "OPTIONS", headers });
  assert.ok(answer.ok);
  const names = (header) => (answer.headers.get(header) ?? "").toLowerCase().split(/,\s*/);
  const allowed = names("access-control-allow-headers");
  assert.deepEqual([...sent].filter((name) => !allowed.includes(name)), []);
  const methods = names("access-control-allow-methods");
  assert.deepEqual(["get", "post", "put", "delete"].filter((name) => !methods.includes(name)), []);
  const plain = await fetch(`${server.url}/auth/v1/health`, { headers: { Origin: SITE } });
  assert.ok(["*", SITE].includes(plain.headers.get("access-control-allow-origin")));
  const exposed = plain.headers.get("access-control-expose-headers").toLowerCase().split(/,\s*/);
  assert.deepEqual(["link", "x-total-count", "x-supabase-api-version"].filter((name) => !exposed.includes(name)), []);
});
