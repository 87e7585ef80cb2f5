// Somebody with a browser: what they open, type and press, and what their browser noticed meanwhile.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import { PATIENCE } from "./server.mjs";

export function launch(options = {}) {
  const executablePath =
    process.env.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
  assert.ok(executablePath, "name a Chromium in CHROMIUM");
  // As root, as in a container, Chromium has no sandbox of its own.
  return chromium.launch({ executablePath, chromiumSandbox: process.getuid() !== 0, ...options });
}

export function binary() {
  const path = process.env.LATCHSTRING_BINARY;
  assert.ok(path, "name the built server in LATCHSTRING_BINARY");
  return path;
}

export class Visitor {
  static async in(context, server) {
    context.setDefaultTimeout(PATIENCE);
    return new Visitor(context, server, await context.newPage());
  }

  constructor(context, server, page) {
    Object.assign(this, { context, server, page, said: [], foreign: [], documents: new Set(), last: null });
    page.on("console", (message) => this.said.push({ text: message.text(), at: message.location().url }));
    page.on("pageerror", (error) => this.said.push({ text: String(error), at: page.url() }));
    page.on("request", (request) => {
      const { protocol, origin } = new URL(request.url());
      if (protocol !== "data:" && origin !== server.url) this.foreign.push(request.url());
    });
    page.on("response", (response) => {
      if (response.request().isNavigationRequest() && response.frame() === page.mainFrame()) {
        this.last = response;
        this.documents.add(response.url());
      }
    });
  }

  /** Where the page is, without the origin. */
  get path() {
    return this.page.url().replace(this.server.url, "");
  }

  $(selector) {
    return this.page.locator(selector);
  }

  async go(path) {
    await this.page.goto(path);
  }

  /** Presses a button or follows a link, and waits for the page behind it. */
  async press(selector) {
    const arrived = this.page.waitForNavigation();
    await this.$(selector).click();
    await arrived;
  }

  /** Fills a form's fields by name, and sends it by its first button, or by the one that `button` selects in it. */
  async send(action, fields, button = "button:not([formnovalidate])") {
    const form = `form[action="${action}"]`;
    for (const [name, value] of Object.entries(fields)) await this.$(`${form} [name="${name}"]`).fill(value);
    await this.press(`${form} ${button} >> nth=0`);
  }

  /** Signs in through the API, from this browser: for tests about what comes later. */
  async signIn({ email, password }) {
    const post = async (path, data) => {
      const answer = await this.context.request.post(`/api/v1/attempts${path}`, {
        data,
        headers: { Origin: this.server.url },
      });
      const text = await answer.text();
      assert.ok(answer.ok(), text);
      return text && JSON.parse(text);
    };
    const begin = { kind: "sign_in", sink: "cookie", identifier: email };
    if (password) return post("", { ...begin, password });
    const { id } = await post("", begin);
    await post(`/${id}/code/send`);
    return post(`/${id}/code`, { code: (await this.server.mail(email)).code });
  }

  /** A new person, signed in here. */
  async atHome(options) {
    const person = await this.server.person(options);
    await this.signIn(person);
    return person;
  }

  /** Sends a step's form, which goes to where the page is. */
  async sendStep(step, fields = {}) {
    await this.send(new URL(this.page.url()).pathname, fields, `button[name="step"][value="${step}"]`);
  }
}
