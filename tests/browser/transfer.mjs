// What the sign-in page costs on the wire: cold, and when it is looked at again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { visitor } from "./stage.mjs";

const MOST = 30 * 1024;

test("the sign-in page comes with all that it loads in 30 KB, and alone the second time", async (t) => {
  const v = await visitor(t);
  const session = await v.context.newCDPSession(v.page);
  await session.send("Network.enable");
  let taken = new Map();
  const paths = new Map();
  session.on("Network.requestWillBeSent", ({ requestId, request }) => paths.set(requestId, new URL(request.url).pathname));
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    // What comes from the browser's own store has no length.
    if (encodedDataLength > 0) taken.set(paths.get(requestId), encodedDataLength);
  });
  const load = async (path) => {
    taken = new Map();
    await v.page.goto(path, { waitUntil: "networkidle" });
    return Object.fromEntries(taken);
  };

  const cold = await load("/sign-in");
  const sum = Object.values(cold).reduce((a, b) => a + b, 0);
  assert.ok(cold["/sign-in"] > 0, JSON.stringify(cold));
  assert.ok(Object.keys(cold).some((path) => /^\/assets\/look\..*\.css$/.test(path)), JSON.stringify(cold));
  assert.ok(sum < MOST, `${sum} bytes: ${JSON.stringify(cold)}`);
  t.diagnostic(`${sum} bytes: ${JSON.stringify(cold)}`);

  const again = await load("/sign-in");
  assert.deepEqual(Object.keys(again), ["/sign-in"]);
  assert.deepEqual(Object.keys(await load("/recover")), ["/recover"], "other pages share what it has loaded");
});
