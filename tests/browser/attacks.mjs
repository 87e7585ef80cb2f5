// Attacks that need a browser, against a real one: what a page of somebody else can and can't do to people of ours.
// Named by the ids that the tests of the other crates use, where there is one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PASSWORD, someone, until } from "./server.mjs";
import { form, site } from "./site.mjs";
import { servers, visitor } from "./stage.mjs";
import { Visitor, launch } from "./visitor.mjs";

const SITES = ["foreign", "neighbour"];

/** Opens a page of somebody else that sends a form to us, and waits for what we say to it. */
async function lured(v, evil, where, html) {
  evil.put("/trap", html);
  v.last = null;
  const answered = v.page.waitForResponse((response) => response.request().method() === "POST");
  await v.page.goto(`${evil[where]}/trap`, { waitUntil: "commit" });
  const status = (await answered).status();
  await v.page.waitForLoadState();
  return status;
}

async function nobody(v, why) {
  await v.go("/account");
  assert.match(v.path, /^\/sign-in\?/, why);
}

async function somebody(v, { email }, why) {
  await v.go("/account");
  assert.equal(v.path, "/account", why);
  assert.ok((await v.$("main").innerText()).includes(email), why);
}

async function asksForCode(v, email) {
  await v.go("/sign-in");
  await v.send("/sign-in", { identifier: email }, 'button[value="code"]');
  return v.server.mail(email);
}

for (const where of SITES) {
  test(`attack_a052_a_${where}_page_signs_nobody_in_with_a_password`, async (t) => {
    const evil = await site(t);
    const [mallory, victim] = [await visitor(t), await visitor(t)];
    const attacker = await mallory.server.person();
    await mallory.go("/sign-in");
    const token = await mallory.$('form[action="/sign-in"] [name="form"]').inputValue();
    const fields = { identifier: attacker.email, password: PASSWORD };
    for (const sent of [fields, { ...fields, form: token }]) {
      const status = await lured(victim, evil, where, form(`${victim.server.url}/sign-in`, sent));
      assert.equal(status, 403);
      await nobody(victim);
    }
    const own = await victim.atHome();
    await lured(victim, evil, where, form(`${victim.server.url}/sign-in`, { ...fields, form: token }));
    await somebody(victim, own, "and somebody who is signed in stays who they are");
  });

  test(`attack_a052_a_${where}_page_signs_nobody_in_with_a_code`, async (t) => {
    const evil = await site(t);
    const [mallory, victim] = [await visitor(t), await visitor(t)];
    const attacker = await mallory.server.person();
    const { code } = await asksForCode(mallory, attacker.email);
    const token = await mallory.$('[name="form"]').first().inputValue();
    const action = mallory.page.url().replace(/\?.*/, "");
    assert.equal(await lured(victim, evil, where, form(action, { form: token, step: "code", code })), 403);
    await nobody(victim);
  });

  test(`attack_a052_a_${where}_page_signs_nobody_in_with_a_link`, async (t) => {
    const evil = await site(t);
    const [mallory, victim] = [await visitor(t), await visitor(t)];
    const attacker = await mallory.server.person();
    const { link } = await asksForCode(mallory, attacker.email);
    evil.put("/lure", `<a id="a" href="${link}">free things</a>`);
    await victim.page.goto(`${evil[where]}/lure`);
    await victim.press("#a");
    assert.equal(victim.path, "/verify");
    await nobody(victim, "opening it does nothing");
    assert.equal(await lured(victim, evil, where, form(`${victim.server.url}/verify`, {})), 403);
    await nobody(victim);
  });

  test(`attack_a048_a_${where}_page_signs_nobody_out`, async (t) => {
    const evil = await site(t);
    const victim = await visitor(t);
    const person = await victim.atHome();
    const url = victim.server.url;
    evil.put("/pictures", `<img src="${url}/sign-out"><img src="${url}/sign-out?session=all">`);
    await victim.page.goto(`${evil[where]}/pictures`);
    await somebody(victim, person);
    assert.ok([303, 403].includes(await lured(victim, evil, where, form(`${url}/sign-out`, {}))));
    await somebody(victim, person);
  });

  test(`attack_a144_a_${where}_page_changes_nothing`, async (t) => {
    const evil = await site(t);
    const victim = await visitor(t);
    const person = await victim.atHome({ name: "Ada" });
    const url = victim.server.url;
    for (const [path, fields] of [
      ["/account/name", { name: "Mallory" }],
      ["/account/language", { language: "de" }],
      ["/account/email", { email: someone() }],
      ["/account/security", { current_password: PASSWORD, password: "seven kettle lanterns copper" }],
      ["/account/sessions", { session: "all" }],
      ["/account/delete", {}],
      ["/account/data", {}],
      ["/sign-in/switch", {}],
    ]) {
      const status = await lured(victim, evil, where, form(`${url}${path}`, { form: "0".repeat(64), ...fields }));
      assert.equal(status, 403, path);
    }
    // JSON in the disguise of a form, and without a preflight.
    const disguised = form(`${url}/api/v1/attempts`, { '{"kind":"sign_in","sink":"cookie","identifier":"': `x"}` }, { enctype: "text/plain" });
    assert.ok((await lured(victim, evil, where, disguised)) >= 400);
    evil.put("/fetches", "");
    await victim.page.goto(`${evil[where]}/fetches`);
    await victim.page.evaluate(async (url) => {
      const simple = { method: "POST", mode: "no-cors", credentials: "include", headers: { "Content-Type": "text/plain" } };
      await fetch(`${url}/api/v1/session/switch`, { ...simple, body: "{}" });
      await fetch(`${url}/api/v1/account/password`, { ...simple, body: '{"password":"seven kettle lanterns copper"}' });
    }, url);
    await somebody(victim, person);
    assert.equal(await victim.$("#name").inputValue(), "Ada");
  });

  test(`attack_a145_a_${where}_page_reads_nothing`, async (t) => {
    const evil = await site(t);
    const victim = await visitor(t);
    await victim.atHome();
    evil.put("/reads", "");
    await victim.page.goto(`${evil[where]}/reads`);
    const read = await victim.page.evaluate(async (url) => {
      const paths = ["/api/v1/account", "/api/v1/session", "/account", "/account/data", "/api/v1/sessions", "/dev/mail.json"];
      const read = [];
      for (const path of paths) {
        const options = { credentials: "include" };
        await fetch(url + path, options).then(() => read.push(path), () => {});
        const token = { ...options, method: "POST" };
        await fetch(`${url}/api/v1/session/token`, token).then(() => read.push("token"), () => {});
      }
      return read;
    }, victim.server.url);
    assert.deepEqual(read, []);
  });

  test(`clickjacking: a ${where} page frames nothing of ours`, async (t) => {
    const evil = await site(t);
    const victim = await visitor(t);
    await victim.atHome();
    const paths = ["/", "/sign-in", "/sign-up", "/recover", "/verify", "/sign-out", "/account", "/account/delete", "/docs", "/dev/mail"];
    evil.put("/frames", paths.map((path) => `<iframe src="${victim.server.url}${path}"></iframe>`).join(""));
    await victim.page.goto(`${evil[where]}/frames`);
    const refused = () => victim.said.filter(({ text }) => text.includes("frame-ancestors") && text.includes(victim.server.url));
    await until(() => refused().length === paths.length, "the browser to refuse every frame");
    for (const frame of victim.page.mainFrame().childFrames()) {
      assert.ok(!frame.url().startsWith(victim.server.url), frame.url());
    }
  });

  test(`reverse tabnabbing: a ${where} page that opened ours keeps no hand on it`, async (t) => {
    const evil = await site(t);
    const victim = await visitor(t);
    evil.put("/opens", `<button onclick="w = window.open('${victim.server.url}/sign-in')">open</button>`);
    evil.put("/phish", "give me your password");
    await victim.page.goto(`${evil[where]}/opens`);
    const opening = victim.context.waitForEvent("page");
    await victim.$("button").click();
    const opened = await opening;
    await opened.locator("#password").waitFor();
    assert.equal(await opened.evaluate(() => globalThis.opener), null);
    const hand = await victim.page.evaluate((phish) => {
      try {
        globalThis.w.location = phish;
      } catch {
        // No hand on it at all.
      }
      return { closed: globalThis.w.closed, length: globalThis.w.length };
    }, `${evil[where]}/phish`);
    assert.equal(hand.closed, true, "as far as it can tell the window is gone");
    await opened.reload();
    assert.equal(opened.url(), `${victim.server.url}/sign-in`);
    assert.ok(!evil.asked.some(({ url }) => url === "/phish"));
  });
}

test("attack_a043_a_planted_cookie_is_worth_nothing_after_signing_in", async (t) => {
  const [mallory, victim] = [await visitor(t), await visitor(t)];
  const person = await victim.server.person();
  await asksForCode(mallory, someone());
  const planted = await mallory.context.cookies();
  assert.ok(planted.some(({ name }) => /^latchstring-\d+$/.test(name)));
  await victim.context.addCookies(planted);
  await victim.go("/sign-in");
  await victim.send("/sign-in", { identifier: person.email, password: PASSWORD });
  await somebody(victim, person);
  const values = new Set((await victim.context.cookies()).filter(({ name }) => /^latchstring-\d+$/.test(name)).map(({ value }) => value));
  assert.ok(planted.every(({ value }) => !values.has(value)), "it has another one");
  await nobody(mallory);
});

test("attack_a043_the_cookie_changes_when_somebody_proves_again", async (t) => {
  const [mallory, victim] = [await visitor(t, { server: servers.guarded }), await visitor(t, { server: servers.guarded })];
  const person = await victim.agedAtHome({ own: true });
  await mallory.context.addCookies(await victim.context.cookies());
  await somebody(mallory, person);
  await victim.send("/account/confirm", {});
  await victim.sendStep("password", { password: PASSWORD });
  await somebody(victim, person);
  await nobody(mallory, "the cookie from before is dead");
});

test("attack_a051_a_neighbour_that_plants_a_second_cookie_gets_nobody_into_its_account", async (t) => {
  const evil = await site(t);
  const [mallory, victim] = [await visitor(t), await visitor(t)];
  const attacker = await mallory.atHome();
  const own = (await mallory.context.cookies()).find(({ name }) => /^latchstring-\d+$/.test(name));
  evil.put("/toss", "");
  await victim.page.goto(`${evil.neighbour}/toss`);
  const toss = (path) => victim.page.evaluate(([own, path]) => {
    document.cookie = `${own.name}=${own.value}; path=${path}`;
  }, [own, path]);
  const person = await victim.atHome();
  // Longer paths are sent first. What scripts can't overwrite they can stand in front of.
  await toss("/account");
  await victim.go("/account");
  assert.ok(!(await victim.page.content()).includes(attacker.email));
  await victim.page.goto(`${evil.neighbour}/toss`);
  await victim.page.evaluate(([name]) => (document.cookie = `${name}=; path=/account; max-age=0`), [own.name]);
  await somebody(victim, person, "and is who they were, once it is gone");
});

test("attack_a028_a_link_opened_elsewhere_never_signs_the_first_browser_in", async (t) => {
  const [first, second] = [await visitor(t), await visitor(t)];
  const person = await first.server.person();
  const { link, code } = await asksForCode(first, person.email);
  await second.go(link);
  await second.send("/verify", {});
  await somebody(second, person, "it signs in where it was pressed");
  await first.page.reload();
  await nobody(first, "and nowhere else");
  // Nor is what was mailed good a second time, there.
  await first.page.goBack();
  await first.sendStep("code", { code });
  assert.notEqual(first.path, "/account");
  await nobody(first);
});

test("attack_a021_nothing_leads_to_a_place_that_is_not_listed", async (t) => {
  const v = await visitor(t);
  const person = await v.atHome();
  await v.go("/sign-in");
  for (const to of AWAY) {
    const answer = await v.context.request.get(`/sign-in?return_to=${encodeURIComponent(to)}`, { maxRedirects: 0 });
    assert.equal(answer.status(), 200);
    // Where the way on leads is for the browser to say: it reads addresses in its own way.
    const origin = await v.page.evaluate((html) => {
      const page = new DOMParser().parseFromString(html, "text/html");
      return new URL(page.querySelector("#current a").getAttribute("href"), location.href).origin;
    }, await answer.text());
    assert.equal(origin, v.server.url, JSON.stringify(to));
  }
  // The form's own field, changed on the way.
  for (const to of AWAY.slice(0, 6)) {
    const other = await visitor(t);
    await other.go("/sign-in");
    await other.$('form[action="/sign-in"] [name="return_to"]').evaluate((field, to) => (field.value = to), to);
    await other.send("/sign-in", { identifier: person.email, password: PASSWORD });
    assert.equal(other.path, "/account", to);
    assert.deepEqual(other.foreign, []);
  }
});

const AWAY = [
  "https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/%09/evil.example",
  "/\t/evil.example", "/\n/evil.example", "\t//evil.example", " //evil.example", "https:evil.example", "https:/evil.example",
  "/.//evil.example", "/..//evil.example", "/a/..//evil.example", "/%2e%2e//evil.example", "/%5cevil.example",
  "/%2f/evil.example", "//evil.example%2f@localhost", "http://localhost@evil.example", "http://localhost.evil.example",
  "http://localhost:1@evil.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)",
  "data:text/html,<script>alert(1)</script>", "vbscript:x", "blob:http://localhost/x", "//localhost:1/", "//[::1]/",
  "http:///evil.example", "?//evil.example", "#//evil.example", "evil.example", "./evil", "/\u0000/evil.example",
  "/\u2028/evil.example", "https://evil。example", "/;//evil.example/..", "/account@evil.example/../..//evil.example",
];

test("attack_a146_an_address_of_two_slashes_leads_nowhere", async (t) => {
  const v = await visitor(t);
  for (const path of ["//evil.example/", "/\\evil.example", "/%5cevil.example", "/%2f%2fevil.example", "//evil.example/..%2f", "///sign-in"]) {
    await v.page.goto(v.server.url + path);
    assert.equal(await v.page.evaluate(() => location.origin), v.server.url, path);
    assert.equal(v.last.status(), 404, path);
  }
  assert.deepEqual(v.foreign, []);
});

test("attack_a111_a_mailed_secret_stays_in_no_address_no_history_and_no_referer", async (t) => {
  const app = await site(t);
  await servers.main.api("PATCH", "/settings", { origins: [app.foreign] });
  const v = await visitor(t);
  const referers = [];
  v.page.on("request", async (request) => referers.push((await request.allHeaders()).referer ?? ""));
  const person = await v.server.person();
  await v.go(`/sign-in?return_to=${encodeURIComponent(`${app.foreign}/home?state=1`)}`);
  await v.send("/sign-in", { identifier: person.email }, 'button[value="code"]');
  const { link, html } = await v.server.mail(person.email);
  const token = new URL(link).searchParams.get("token");
  assert.ok(token.length > 40 && html.includes(token));

  app.put("/webmail", `<a id="a" href="${link}">open</a>`);
  app.put("/home", "<h1>home</h1>");
  await v.page.goto(`${app.foreign}/webmail`);
  await v.press("#a");
  assert.equal(v.path, "/verify");
  assert.ok(!(await v.page.content()).includes(token), "nor does the page show it");
  await v.page.goBack();
  assert.equal(v.page.url(), `${app.foreign}/webmail`, "one step back is where the link was");
  await v.page.goForward();
  assert.equal(v.path, "/verify");
  await v.send("/verify", {});
  assert.equal(v.path, "/verify/done");
  await v.press(`main a[href^="${app.foreign}"]`);
  assert.equal(v.page.url(), `${app.foreign}/home?state=1`);

  const home = app.asked.find(({ url }) => url.startsWith("/home"));
  assert.equal(home.headers.referer, undefined, "the app learns nothing of where one came from");
  assert.ok(referers.length > 5 && !referers.some((referer) => referer.includes(token)), referers.join("\n"));
});

test("attack_a111_the_way_back_to_an_app_carries_no_referer", async (t) => {
  const app = await site(t);
  await servers.main.api("PATCH", "/settings", { origins: [app.foreign] });
  app.put("/home", "<h1>home</h1>");
  const v = await visitor(t);
  const person = await v.server.person();
  await v.go(`/sign-in?return_to=${encodeURIComponent(`${app.foreign}/home`)}`);
  await v.send("/sign-in", { identifier: person.email, password: PASSWORD });
  assert.equal(v.page.url(), `${app.foreign}/home`);
  const { headers } = app.asked.find(({ url }) => url === "/home");
  assert.equal(headers.referer, undefined);
  assert.equal(headers.cookie, undefined);
});

test("attack_a149_after_signing_out_the_way_back_shows_nothing_private", async (t) => {
  // Playwright turns the store of whole pages off, which is what this is about.
  const own = await launch({ ignoreDefaultArgs: ["--disable-back-forward-cache"] });
  t.after(() => own.close());
  const ends = {
    "sign-out": async (v) => {
      await v.go("/sign-out");
      await v.send("/sign-out", {});
    },
    everywhere: async (v) => {
      await v.go("/account/sessions");
      await v.send("/account/sessions", {}, 'button[value="all"]');
    },
    deletion: async (v) => {
      await v.go("/account/delete");
      await v.send("/account/delete", {});
    },
  };
  for (const [name, end] of Object.entries(ends)) {
    const context = await own.newContext({ baseURL: servers.main.url });
    const v = await Visitor.in(context, servers.main);
    const person = await v.atHome({ name: "Ada Lovelace" });
    const pages = ["/account", "/account/security", "/account/sessions", "/account/data"];
    for (const path of pages) await v.go(path);
    await end(v);
    for (let n = 0; n < pages.length + 1; n += 1) {
      // A page out of the store does not load again.
      await v.page.goBack({ waitUntil: "commit" });
      const content = await v.page.content();
      assert.ok(!content.includes(person.email.split("@")[0]), `${name}: ${v.path} shows the address`);
      assert.ok(!content.includes("Ada Lovelace"), `${name}: ${v.path} shows the name`);
    }
    await context.close();
  }
});

test("attack_a142_what_people_call_themselves_is_text", async (t) => {
  const markup = `</title></b>"'><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}\u202e`;
  const userAgent = "Chrome/1 <img src=x onerror=alert(3)> Linux";
  const v = await visitor(t, { userAgent });
  v.page.on("dialog", (dialog) => assert.fail(dialog.message()));
  await v.atHome({ name: "Ada" });
  await v.go("/account");
  await v.send("/account/name", { name: markup.replace("\u202e", "") });
  for (const path of ["/account", "/account/sessions", "/account/data", "/account/delete", "/sign-in", "/sign-out"]) {
    await v.go(path);
    assert.equal(await v.$("script, img").count(), 0, path);
  }
  await v.go("/sign-in?another=1");
  await v.send("/sign-in", { identifier: `${markup}@example.com`, password: "x" });
  assert.equal(await v.$("script, img").count(), 0);
  assert.deepEqual(v.foreign, []);
});
