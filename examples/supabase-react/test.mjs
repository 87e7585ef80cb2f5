// The example as it is built, in Chromium, against a server that is started for it: `cargo xtask test supabase-react`.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { preview } from "vite";
import { PATIENCE, Server, someone, until } from "../../tests/browser/server.mjs";

const HERE = import.meta.dirname;
const run = promisify(execFile);
const [FIRST, SECOND] = ["copper kettle seven lanterns", "seven kettle lanterns copper"];
let server, app, browser, url;

before(async () => {
  const binary = process.env.LATCHSTRING_BINARY;
  server = await Server.start(binary, { guests: true });
  // The server has to know where the app will be, and the app where the server is.
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const init = ["dialect", "supabase", "init", "--json", "--site-url", url, "--redirect", `${url}/**`];
  const { stdout } = await run(binary, init, { cwd: server.folder, env: server.env });
  const VITE_SUPABASE_KEY = JSON.parse(stdout).keys.publishable;
  await run("npm", ["run", "build"], { cwd: HERE, env: { ...process.env, VITE_SUPABASE_URL: server.url, VITE_SUPABASE_KEY } });
  app = await preview({ root: HERE, configFile: false, logLevel: "error", preview: { host: "127.0.0.1", port, strictPort: true } });
  await until(async () => (await fetch(`${server.url}/auth/v1/health`)).ok, "the mount to be there");
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  // As root, as in a container, Chromium has no sandbox of its own.
  browser = await chromium.launch({ executablePath, chromiumSandbox: process.getuid() !== 0 });
});

after(async () => {
  await browser?.close();
  await app?.close();
  await server?.stop();
});

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

/** The code in the newest of `count` mails that have one; others tell what happened. */
async function code(email, count = 1) {
  return until(async () => {
    const mails = await (await fetch(`${server.url}/dev/mail.json?to=${encodeURIComponent(email)}`)).json();
    const codes = mails.map(({ code }) => code).filter((code) => code);
    return codes.length >= count && codes[0];
  }, `code no. ${count} for ${email}`);
}

/** Somebody with the app open on a small phone, where nothing may reach out of the page. */
async function opened(t, colorScheme = "light") {
  const context = await browser.newContext({ colorScheme, viewport: { width: 320, height: 640 } });
  t.after(() => context.close());
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  await page.goto(url);
  return {
    page,
    press: (name) => page.getByRole("button", { name, exact: true }).click(),
    fill: (label, text) => page.getByLabel(label, { exact: true }).fill(text),
    /** Waits for a heading, and looks whether the page that has it is as it should be. */
    async sees(name) {
      await page.getByRole("heading", { name, exact: true }).waitFor();
      assert.deepEqual(faults, []);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.equal(wide, 0, `${name}: the page scrolls to the side`);
    },
    says: (text) => page.getByText(text).waitFor(),
  };
}

test("sign-up, profile, password, sign-out, and sign-in by password and by code", async (t) => {
  const v = await opened(t);
  const email = someone();
  await v.sees("Sign in");
  await v.press("Make an account");
  await v.fill("Name", "Ada");
  await v.fill("Email", email);
  await v.fill("Password", "123");
  await v.press("Make it");
  await v.says("Password should be at least");
  await v.fill("Password", FIRST);
  await v.press("Make it");
  await v.sees("Look in your mail");
  await v.fill("Code from the mail", await code(email));
  await v.press("Go on");
  await v.sees("Hello, Ada");

  await v.fill("Name", "Ada Lovelace");
  await v.press("Save");
  await v.sees("Hello, Ada Lovelace");
  await v.fill("New password", SECOND);
  await v.press("Change the password");
  await v.says("Changed.");
  await v.page.reload();
  await v.sees("Hello, Ada Lovelace");
  await v.press("Sign out");

  await v.sees("Sign in");
  await v.fill("Email", email);
  await v.fill("Password", FIRST);
  await v.press("Sign in");
  await v.says("Invalid login credentials");
  await v.fill("Password", SECOND);
  await v.press("Sign in");
  await v.sees("Hello, Ada Lovelace");
  await v.press("Sign out");

  await v.press("Sign in by a code");
  await v.fill("Email", email);
  await v.press("Send a mail");
  await v.sees("Look in your mail");
  await v.fill("Code from the mail", await code(email, 2));
  await v.press("Go on");
  await v.sees("Hello, Ada Lovelace");
});

test("a forgotten password", async (t) => {
  const v = await opened(t, "dark");
  const { email } = await server.person({ name: "Grace" });
  await v.press("Forgotten password");
  await v.fill("Email", email);
  await v.press("Send a mail");
  await v.says("a mail is on its way");
  await v.page.goto((await server.mail(email)).link);
  await v.page.locator('form[action="/verify"] button').first().click();
  await v.sees("Choose a new password");
  await v.fill("New password", SECOND);
  await v.press("Change the password");
  await v.sees("Password");
  await v.press("Sign out");
  await v.fill("Email", email);
  await v.fill("Password", SECOND);
  await v.press("Sign in");
  await v.sees(`Hello, ${email}`);
});

test("a guest becomes a person", async (t) => {
  const v = await opened(t);
  const email = someone();
  await v.press("Look around as a guest");
  await v.sees("Hello, guest");
  await v.fill("Email", email);
  await v.press("Send a mail");
  await v.says(`We wrote to ${email}.`);
  await v.fill("Code from the mail", await code(email));
  await v.press("Go on");
  await v.sees(`Hello, ${email}`);
  await v.fill("New password", FIRST);
  await v.press("Change the password");
  await v.says("Changed.");
});
