// The whole way of somebody whose browser runs no JavaScript.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { PASSWORD, someone } from "./server.mjs";
import { servers, visitor } from "./stage.mjs";

const PLAIN = { javaScript: false };
const OTHER = "seven kettle lanterns copper";

test("without JavaScript: from sign-up to deletion", async (t) => {
  const v = await visitor(t, PLAIN);
  let email = someone();
  await v.go("/sign-up");
  await v.send("/sign-up", { identifier: email });
  await v.sendStep("code", { code: (await v.server.mail(email)).code });
  await v.sendStep("new_password", { password: PASSWORD });
  assert.equal(v.path, "/account");

  await signOut(v);
  await v.go("/recover");
  await v.send("/recover", { identifier: email });
  await v.sendStep("code", { code: (await v.server.mail(email, 2)).code });
  await v.sendStep("new_password", { password: OTHER });
  assert.equal(v.path, "/account");

  const other = await visitor(t, PLAIN);
  await signIn(other, email, OTHER);
  await v.go("/account/sessions");
  await v.send("/account/sessions", {}, "button.btn");
  assert.equal(v.path, "/account/sessions?done=session");
  await other.go("/account");
  assert.match(other.path, /^\/sign-in/);

  await v.go("/account");
  await v.send("/account/name", { name: "Ada Lovelace" });
  assert.equal(v.path, "/account?done=name");
  assert.equal(await v.$("#name").inputValue(), "Ada Lovelace");

  const next = someone();
  await v.send("/account/email", { email: next });
  await v.sendStep("code", { code: (await v.server.mail(next)).code });
  assert.equal(v.path, "/account?done=email");
  assert.match(await v.$("main").innerText(), new RegExp(next));
  email = next;

  await v.send("/account/username", { username: `ada.${process.pid}` });
  assert.equal(v.path, "/account?done=username");
  await v.go("/account/security");
  await v.send("/account/security", { current_password: OTHER, password: PASSWORD });
  assert.equal(v.path, "/account/security?done=password");

  await v.go("/account/data");
  const data = await download(v);
  assert.equal(data.account.email, email);
  assert.equal(data.account.name, "Ada Lovelace");

  await v.go("/account/delete");
  await v.send("/account/delete", {});
  assert.equal(v.path, "/account/deleted");
  await signIn(v, email, PASSWORD);
  // It waits to be deleted: whoever signs in decides whether it is kept, and has nothing else of it.
  assert.match(v.path, /^\/account\/keep/);
  await v.go("/account");
  assert.match(v.path, /^\/account\/keep/);
  await v.send("/account/keep", {});
  await v.go("/account");
  assert.equal(v.path, "/account");
  assert.match(await v.$("main").innerText(), new RegExp(email));
});

test("without JavaScript: a link instead of a code", async (t) => {
  const v = await visitor(t, PLAIN);
  const email = someone();
  await v.go("/sign-up");
  await v.send("/sign-up", { identifier: email });
  await v.go((await v.server.mail(email)).link);
  await v.send("/verify", {});
  await v.send("/verify/password", { password: PASSWORD });
  assert.equal(v.path, "/verify/done");
  await v.press('main a[href="/account"]');
  assert.equal(v.path, "/account");
});

test("without JavaScript: an invitation", async (t) => {
  const v = await visitor(t, { ...PLAIN, server: servers.guarded });
  const email = someone();
  await v.server.api("POST", "/invitations", { email });
  await v.go((await v.server.mail(email)).link);
  await v.send("/verify/invitation", { name: "Grace", password: PASSWORD });
  assert.equal(v.path, "/verify/done");
  await v.go("/account");
  assert.equal(await v.$("#name").inputValue(), "Grace");
});

test("without JavaScript: two accounts side by side", async (t) => {
  const v = await visitor(t, PLAIN);
  const [ada, bob] = [await v.server.person(), await v.server.person()];
  await signIn(v, ada.email, PASSWORD);
  await v.go("/sign-in?another=1");
  await v.send("/sign-in", { identifier: bob.email, password: PASSWORD });
  assert.match(await v.$("main").innerText(), new RegExp(bob.email));
  await v.go("/sign-in");
  await v.send("/sign-in/switch", {});
  assert.equal(v.path, "/account");
  assert.match(await v.$("main").innerText(), new RegExp(ada.email));
  await signOut(v);
  await v.go("/sign-in");
  await v.send("/sign-in/switch", {});
  assert.match(await v.$("main").innerText(), new RegExp(bob.email));
});

test("without JavaScript: an old sign-in proves itself again, and goes on where it was", async (t) => {
  const v = await visitor(t, { ...PLAIN, server: servers.guarded });
  const { email } = await v.agedAtHome({ own: true });
  await v.send("/account/confirm", {});
  await v.sendStep("password", { password: PASSWORD });
  assert.equal(v.path, "/account/data");
  assert.equal((await download(v)).account.email, email);
});

async function signIn(v, email, password) {
  await v.go("/sign-in");
  await v.send("/sign-in", { identifier: email, password });
}

async function signOut(v) {
  await v.go("/sign-out");
  await v.send("/sign-out", {});
  assert.equal(v.path, "/sign-out/done");
}

async function download(v) {
  const coming = v.page.waitForEvent("download");
  await v.$('form[action="/account/data"] button').click();
  const download = await coming;
  assert.equal(download.suggestedFilename(), "account.json");
  return JSON.parse(await readFile(await download.path(), "utf8"));
}
