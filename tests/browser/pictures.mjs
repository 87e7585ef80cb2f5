// Takes the pictures of README and docs: `cargo xtask pictures [--lang ar] [--to FOLDER]`. By hand, when pages change.
import assert from "node:assert/strict";
import { mkdir, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { PASSWORD, Server } from "./server.mjs";
import { Visitor, binary, launch } from "./visitor.mjs";

const { values: asked } = parseArgs({
  options: { lang: { type: "string", default: "en" }, to: { type: "string", default: "../../docs/pictures" } },
});
const MOST = 60 * 1024;
const DESK = { width: 640, height: 640 };
const ROOM = { width: 900, height: 520 };
const PHONE = { viewport: { width: 360, height: 640 }, deviceScaleFactor: 1.5, isMobile: true };

const ADA = { email: "ada@example.com", password: PASSWORD, name: "Ada Lovelace" };
const AGENTS = {
  laptop: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
  phone: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari/604.1",
};

const PICTURES = [
  ["sign-in", { viewport: DESK }, (v) => go(v, "/sign-in?another=1")],
  ["sign-in-dark", { viewport: DESK, colorScheme: "dark" }, (v) => go(v, "/sign-in?another=1")],
  ["sign-in-phone", PHONE, (v) => go(v, "/sign-in?another=1")],
  ["sign-in-arabic", { viewport: DESK }, (v) => go(v, "/sign-in?another=1&lang=ar")],
  ["mail", { viewport: { width: 560, height: 560 } }, mail],
  ["account", { viewport: { ...ROOM, height: 620 } }, async (v) => { await v.signIn(ADA); await go(v, "/account"); }],
  ["devices", { viewport: ROOM, userAgent: AGENTS.laptop }, async (v) => { await v.signIn(ADA); await go(v, "/account/sessions"); }],
];

function go(v, path) {
  const url = new URL(path, v.server.url);
  if (asked.lang !== "en") url.searchParams.set("lang", asked.lang);
  return v.page.goto(url.href);
}

/** The mail of a sign-in by code, as a mail program shows it. */
async function mail(v) {
  await go(v, "/sign-in?another=1");
  await v.page.fill("#identifier", ADA.email);
  await v.page.click("button[name=by]");
  await v.page.waitForURL(/by=code/);
  const { n } = await v.server.mail(ADA.email);
  await v.page.goto(new URL(`/dev/mail/${n}/html`, v.server.url).href);
}

const server = await Server.start(binary());
const browser = await launch();
try {
  await mkdir(asked.to, { recursive: true });
  await server.api("POST", "/users", { ...ADA, email_asserted: true });
  // Another device, for the list of them.
  await (await visitor({ userAgent: AGENTS.phone })).signIn(ADA);
  for (const [name, options, open] of PICTURES) {
    const v = await visitor(options);
    await open(v);
    const file = resolve(asked.to, asked.lang === "en" ? `${name}.png` : `${name}.${asked.lang}.png`);
    // The cursor would blink, and a frame around the first field tells nothing.
    await v.page.evaluate(() => document.activeElement.blur());
    await v.page.screenshot({ path: file, animations: "disabled", caret: "hide" });
    const { size } = await stat(file);
    assert.ok(size <= MOST, `${file} has ${size} bytes`);
    console.log(`${file}: ${size} bytes`);
    await v.context.close();
  }
} finally {
  await browser.close();
  await server.stop();
}

async function visitor(options) {
  const locale = asked.lang;
  return Visitor.in(await browser.newContext({ baseURL: server.url, locale, ...options }), server);
}
