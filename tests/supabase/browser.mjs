// A browser without JavaScript, in a few lines: cookies, redirects one by one, and the forms of our pages.
import assert from "node:assert/strict";

export class Browser {
  #cookies = new Map();

  constructor(server) {
    this.server = server;
  }

  /** Opens an address, and follows redirects for as long as they stay with the server. Gives where they lead away to, or
      the page that is there. */
  async open(address, request = {}) {
    for (let hops = 0; hops < 10; hops += 1) {
      const url = new URL(address, this.at ?? this.server.url);
      if (url.origin !== this.server.url) return { away: url };
      this.at = url.href;
      const answer = await this.#send(url, request);
      if (answer.status !== 303) {
        this.page = await answer.text();
        return { status: answer.status, page: this.page, path: url.pathname };
      }
      address = answer.headers.get("location");
      request = {};
    }
    assert.fail(`redirects without end, at ${address}`);
  }

  /** Sends the form of the page: its hidden fields, and what a person types. */
  async submit(typed = {}) {
    const form = this.page.match(/<form[^>]*method="post"[^>]*>[^]*?<\/form>/i)?.[0];
    assert.ok(form, `no form:\n${this.page}`);
    const attribute = (tag, name) => unescaped(tag.match(new RegExp(`\\s${name}="([^"]*)"`))?.[1]);
    const body = new URLSearchParams();
    for (const tag of form.match(/<(input|button)[^>]*>/g)) {
      const name = attribute(tag, "name");
      const given = attribute(tag, "value");
      if (name && given !== undefined && /type="hidden"|^<button/.test(tag)) body.append(name, given);
    }
    for (const [name, value] of Object.entries(typed)) {
      assert.match(form, new RegExp(`name="${name}"`));
      body.set(name, value);
    }
    const action = attribute(form.match(/^<form[^>]*>/)[0], "action") ?? this.at;
    const headers = { "Content-Type": "application/x-www-form-urlencoded", Origin: this.server.url };
    return this.open(action, { method: "POST", headers, body });
  }

  async #send(url, request) {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { ...request.headers, ...(cookie && { Cookie: cookie }) };
    const answer = await fetch(url, { ...request, headers, redirect: "manual" });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
      if (/max-age=0/i.test(line)) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return answer;
  }
}

function unescaped(text) {
  return text?.replace(/&#x([0-9a-f]+);/gi, (_, code) => String.fromCodePoint(parseInt(code, 16)))
    .replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
