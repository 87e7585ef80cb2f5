// Every page in every state, with JavaScript and without: it answers as it should, says what it is, breaks no rule of its
// own policy, asks nobody else, and is for everybody: axe-core, light and dark, wide and narrow, and with text twice as
// large.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, test } from "node:test";
import { hints } from "./hints.mjs";
import { visitor } from "./stage.mjs";
import { STATES } from "./states.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WIDE = { width: 1280, height: 800 };
// WCAG 1.4.10: no scrolling in two directions at the width of a small phone.
const NARROW = { width: 320, height: 640 };
// What dark colours can change, beside light ones.
const OF_COLOUR = ["color-contrast", "link-in-text-block"];

// Most of their time they wait for one another's server or browser.
describe("pages", { concurrency: 4 }, () => STATES.forEach((state) => {
  test(`${state.name}: a whole page for everybody`, async (t) => {
    const v = await opened(t, state, { viewport: WIDE });
    const wrong = await faults(v, state);
    wrong.push(...(await hints(v, state.fields)));
    await v.page.evaluate(AXE);
    for (const [width, viewport] of Object.entries({ wide: WIDE, narrow: NARROW })) {
      await v.page.setViewportSize(viewport);
      const looks = [["light"], ["dark", OF_COLOUR]];
      // The reference takes seconds each time, and is the same parts again and again.
      for (const [colorScheme, rules] of state.large && width === "narrow" ? [] : looks) {
        await v.page.emulateMedia({ colorScheme });
        wrong.push(...(await barriers(v, rules)).map((what) => `${width}, ${colorScheme}: ${what}`));
      }
      wrong.push(...(await cut(v)).map((what) => `${width}: ${what}`));
    }
    wrong.push(...(await enlarged(v)));
    assert.deepEqual(wrong, []);
  });

  test(`${state.name}: the same without JavaScript`, async (t) => {
    const v = await opened(t, state, { javaScript: false });
    assert.deepEqual(await faults(v, state), []);
  });
}));

async function opened(t, state, options) {
  const v = await visitor(t, { server: state.server(), ...options });
  await state.open(v);
  return v;
}

/** What is wrong with the page as such, and with everything on the way to it. */
async function faults(v, state) {
  const wrong = [];
  const must = (what, is, should) => is !== should && wrong.push(`${what}: ${is}, not ${should}`);
  must("status", v.last.status(), state.status);
  must("headings", await v.$("h1").count(), 1);
  must("a heading that can be seen", await v.$("h1").isVisible(), true);
  must("a title", /\S · \S/.test(await v.page.title()), true);
  must("a language", await v.$("html[lang]").count(), 1);
  must("a main part", await v.$("main").count(), 1);
  must("links that open windows", await v.$("[target]").count(), 0);
  wrong.push(...v.foreign.map((url) => `asks ${url}`));
  // Chromium notes each page that answers with an error. Everything else that it says is about us.
  const noted = (said) => /^Failed to load resource: the server responded with a status of 4\d\d/.test(said.text);
  wrong.push(...v.said.filter((said) => !(noted(said) && v.documents.has(said.at))).map((said) => said.text));
  return wrong;
}

/** What axe-core calls serious or critical. `rules`: only these. */
async function barriers(v, rules) {
  const options = { resultTypes: ["violations"], ...(rules && { runOnly: { type: "rule", values: rules } }) };
  const { violations } = await v.page.evaluate((options) => globalThis.axe.run(options), options);
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)} (${node.failureSummary})`));
}

/** What reaches out of the page, and text that reaches out of the frame that it stands in. */
function cut(v) {
  return v.page.evaluate(() => {
    const wrong = new Set();
    const named = (element) => element.outerHTML.slice(0, 120);
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth > width) wrong.add("the page scrolls to the side");
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const text = texts.currentNode;
      const seen = text.parentElement.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true });
      if (!seen || !text.data.trim()) continue;
      const range = document.createRange();
      range.selectNodeContents(text);
      const parts = [...range.getClientRects()];
      for (let element = text.parentElement; element; element = element.parentElement) {
        const style = getComputedStyle(element);
        // Not for the eye, or there for scrolling.
        if (style.clipPath !== "none" || /auto|scroll/.test(style.overflowX)) break;
        const box = element.getBoundingClientRect();
        const page = element === document.body;
        const framed = style.borderTopWidth !== "0px" || style.backgroundColor !== "rgba(0, 0, 0, 0)";
        const clips = /hidden|clip/.test(style.overflowX + style.overflowY);
        if (!page && (style.display === "inline" || !(framed || clips))) continue;
        const beside = (part) => part.left < box.left - 1 || part.right > box.right + 1;
        const above = (part) => !page && (part.top < box.top - 1 || part.bottom > box.bottom + 1);
        if (parts.some((part) => beside(part) || above(part))) wrong.add(`text is cut off, or out of its frame: ${named(element)}`);
      }
    }
    for (const field of document.querySelectorAll("input:not([type=hidden]), button, a.btn, pre, table, svg")) {
      const box = field.getBoundingClientRect();
      const seen = getComputedStyle(field).clipPath === "none" && box.bottom > 0;
      if (seen && (box.right > width + 1 || box.left < -1)) wrong.add(`out of the page: ${named(field)}`);
    }
    return [...wrong];
  });
}

/** Text of twice the size, as a reader sets it in the browser (WCAG 1.4.4). */
async function enlarged(v) {
  await v.page.setViewportSize(WIDE);
  const session = await v.context.newCDPSession(v.page);
  await session.send("Page.setFontSizes", { fontSizes: { standard: 32, fixed: 26 } });
  const size = await v.page.evaluate(() => getComputedStyle(document.documentElement).fontSize);
  const wrong = size === "32px" ? [] : [`text does not follow the reader's size: ${size}`];
  for (const [name, viewport] of Object.entries({ wide: WIDE, half: { width: 640, height: 800 } })) {
    await v.page.setViewportSize(viewport);
    wrong.push(...(await cut(v)).map((what) => `text of 200 %, ${name}: ${what}`));
  }
  return wrong;
}
