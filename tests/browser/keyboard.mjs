// By keyboard alone: every stop can be seen, the order is that of the page, and what went wrong is announced.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PASSWORD, someone } from "./server.mjs";
import { servers, visitor } from "./stage.mjs";

test("by keyboard: sign up, prove, set a password, sign out, sign in, end another session", async (t) => {
  const v = await visitor(t);
  const email = someone();
  await v.go("/");
  await press(v, 'main a[href="/sign-up"]');
  await type(v, "#identifier", email);
  await sends(v);
  // The field that one came for has the focus already.
  assert.equal(await focused(v, "#code"), true, "the code's field has the focus");
  await v.page.keyboard.type((await v.server.mail(email)).code);
  await sends(v);
  await type(v, "#password", PASSWORD);
  await press(v, 'button[value="new_password"]');
  assert.equal(v.path, "/account");

  await press(v, 'a[href="/sign-out"]');
  await press(v, 'form[action="/sign-out"] button');
  assert.equal(v.path, "/sign-out/done");
  await press(v, 'a[href="/sign-in"]');
  await type(v, "#identifier", email);
  await type(v, "#password", PASSWORD);
  await sends(v);
  assert.equal(v.path, "/account");

  const other = await visitor(t);
  await other.signIn({ email, password: PASSWORD });
  await other.go("/account");
  assert.equal(other.path, "/account");
  await press(v, 'a[href="/account/sessions"]');
  await press(v, 'li form[action="/account/sessions"] button');
  assert.equal(v.path, "/account/sessions?done=session");
  await other.go("/account");
  assert.match(other.path, /^\/sign-in/);
});

test("by keyboard: the way to the content is the first stop, and leads there", async (t) => {
  const v = await visitor(t);
  await v.atHome();
  await v.go("/account");
  await v.page.keyboard.press("Tab");
  assert.equal(await focused(v, 'a[href="#main"]'), true);
  assert.equal(await v.$('a[href="#main"]').isVisible(), true);
  await v.page.keyboard.press("Enter");
  await v.page.keyboard.press("Tab");
  assert.equal(await v.page.evaluate(() => document.activeElement.closest("main") !== null), true);
});

const FORMS = [
  ["sign-in", async (v) => v.go("/sign-in")],
  ["a code", async (v) => { await v.go("/recover"); await v.send("/recover", { identifier: someone() }); }],
  ["chooser", async (v) => { await v.atHome(); await v.atHome(); await v.go("/sign-in"); }],
  ["account", async (v) => { await v.atHome(); await v.go("/account"); }],
  ["password", async (v) => { await v.atHome(); await v.go("/account/security"); }],
  ["devices", async (v) => { await v.atHome(); await v.go("/account/sessions"); }],
  ["delete", async (v) => { await v.atHome(); await v.go("/account/delete"); }],
  ["invitation", async (v) => {
    const email = someone();
    await v.server.api("POST", "/invitations", { email });
    await v.go((await v.server.mail(email)).link);
  }],
];

for (const [name, open] of FORMS) {
  test(`by keyboard: every stop of ${name} can be seen, in the order of the page`, async (t) => {
    for (const colorScheme of ["light", "dark"]) {
      const v = await visitor(t, { colorScheme });
      await open(v);
      // From the top, also where a field has the focus to begin with, which it gets some time after the page is there.
      await v.page.waitForFunction(() => {
        const first = document.querySelector("[autofocus]");
        return !first || document.activeElement === first;
      });
      await v.page.evaluate(() => {
        document.body.tabIndex = -1;
        document.body.focus();
        document.body.removeAttribute("tabindex");
      });
      const stops = await walk(v);
      const all = await v.page.evaluate(() =>
        [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]")]
          .filter((one) => one.tabIndex >= 0).length);
      assert.equal(stops.length, all, "everything that acts is a stop, and is one once");
    }
  });
}

test("by keyboard: what is wrong is announced, said at its field, and one step away", async (t) => {
  const v = await visitor(t);
  const { email } = await v.server.person();
  await v.go("/sign-in");
  await v.send("/sign-in", { identifier: email, password: "not the password" });
  await announced(v, "password");
  await v.go("/sign-up");
  await v.send("/sign-up", { identifier: "ada@localhost" });
  await announced(v, "identifier");
  await v.go("/recover");
  await v.send("/recover", { identifier: someone() });
  await v.sendStep("code", { code: "nonsense" });
  await announced(v, "code");

  await v.signIn({ email, password: PASSWORD });
  await v.go("/account");
  await v.send("/account/email", { email: "ada@localhost" });
  await announced(v, "email");
  await v.go("/account/security");
  await v.send("/account/security", { current_password: "not the password", password: "seven kettle lanterns copper" });
  await announced(v, "current_password");
  await v.send("/account/security", { current_password: PASSWORD, password: "password" });
  await announced(v, "password");
});

test("by keyboard: a weak password is announced, said at its field, and one step away", async (t) => {
  const v = await visitor(t, { server: servers.guarded });
  const email = someone();
  await v.server.api("POST", "/invitations", { email });
  await v.go((await v.server.mail(email)).link);
  await v.send("/verify/invitation", { password: "password" });
  await announced(v, "password");
});

/** An alert that leads to the field, and at the field why it is wrong. */
async function announced(v, name) {
  const said = await v.page.evaluate((name) => {
    const field = document.getElementById(name);
    const ids = (field.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean);
    const alert = document.querySelector('[role="alert"]');
    return {
      invalid: field.ariaInvalid,
      says: ids.map((id) => document.getElementById(id)?.textContent.trim() ?? `no #${id}`),
      alert: alert?.textContent.trim() ?? "",
      leads: alert?.querySelector("a")?.getAttribute("href") ?? null,
      focused: document.activeElement === field,
    };
  }, name);
  const where = `${v.path}, ${name}`;
  assert.equal(said.invalid, "true", where);
  assert.ok(said.says.length && said.says.every((text) => text && !text.startsWith("no #")), `${where}: ${said.says}`);
  if (said.focused) return;
  assert.ok(said.alert, `${where}: an alert, or the focus`);
  assert.ok(said.says.includes(said.alert), `${where}: the alert says the same as the field`);
  assert.equal(said.leads, `#${name}`, where);
}

function focused(v, selector) {
  return v.page.evaluate((selector) => document.activeElement?.matches(selector) ?? false, selector);
}

/** Goes on by Tab until `selector` has the focus. */
async function reach(v, selector) {
  if (!(await focused(v, selector))) {
    const stops = await walk(v, selector);
    assert.ok(await focused(v, selector), `${v.path}: Tab does not reach ${selector}, only ${JSON.stringify(stops)}`);
  }
}

async function type(v, selector, text) {
  await reach(v, selector);
  await v.page.keyboard.type(text);
}

async function sends(v) {
  const arrived = v.page.waitForNavigation();
  await v.page.keyboard.press("Enter");
  await arrived;
}

async function press(v, selector) {
  await reach(v, selector);
  await sends(v);
}

/** Tab by Tab, to `selector` or to the end of the page. Each stop is looked at. */
async function walk(v, selector) {
  const stops = [];
  for (let n = 0; n < 300; n += 1) {
    await v.page.keyboard.press("Tab");
    const stop = await v.page.evaluate(() => {
      const here = document.activeElement;
      if (!here || here === document.body || here === document.documentElement) return null;
      const before = globalThis.before;
      globalThis.before = here;
      const look = () => {
        const { outlineStyle, outlineWidth, outlineColor, boxShadow, borderColor } = getComputedStyle(here);
        return { outline: outlineStyle === "none" ? "none" : `${outlineWidth} ${outlineColor}`, boxShadow, borderColor };
      };
      const focused = look();
      const box = here.getBoundingClientRect();
      here.blur();
      const blurred = look();
      here.focus({ preventScroll: true, focusVisible: true });
      const was = before?.isConnected && before !== here ? before.getBoundingClientRect() : null;
      return {
        name: here.outerHTML.slice(0, 100),
        again: before === here || (before && !(before.compareDocumentPosition(here) & Node.DOCUMENT_POSITION_FOLLOWING)),
        shown: focused.outline !== "none" && !focused.outline.startsWith("0px") && focused.outline !== blurred.outline
          || focused.boxShadow !== blurred.boxShadow,
        inView: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
        // Up is only the way into a column beside.
        backwards: was ? box.bottom <= was.top && box.left < was.right : false,
      };
    });
    if (!stop) break;
    if (stop.again) break;
    assert.ok(stop.shown, `${v.path}: the focus can't be seen on ${stop.name}`);
    assert.ok(stop.inView, `${v.path}: out of view: ${stop.name}`);
    assert.ok(!stop.backwards, `${v.path}: against the order of the page: ${stop.name}`);
    stops.push(stop.name);
    if (selector && (await focused(v, selector))) break;
  }
  return stops;
}
