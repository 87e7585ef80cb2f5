// What all tests stand on: one browser, a few servers, and visitors, each with a context of their own.
import { after, before } from "node:test";
import { PATIENCE, Server, until } from "./server.mjs";
import { Visitor, binary, launch } from "./visitor.mjs";

/** `main` for most; `guarded` asks for a proof that is at most a minute old, and lets in by invitation; `closed` lets
    nobody in who is new; nobody has done anything on `idle` yet. */
export const servers = {};
export let browser;
const aged = {};

before(async () => {
  const program = binary();
  const settings = {
    main: {},
    guarded: { sign_up: "invite", session: { fresh_seconds: 60 } },
    closed: { sign_up: "closed" },
    idle: {},
  };
  // What has begun is ended again, also if the rest did not.
  const begun = await Promise.allSettled([
    launch().then((started) => (browser = started)),
    ...Object.entries(settings).map(async ([name, changed]) => (servers[name] = await Server.start(program, changed))),
  ]);
  for (const { reason } of begun) if (reason) throw reason;
  // Grows old while the other tests run.
  const aging = async (options) => signedInState(servers.guarded, await servers.guarded.person(options));
  aged.person = await aging();
  aged.bare = await aging({ password: null });
  aged.spare = [await aging(), await aging()];
});

after(async () => {
  await browser?.close();
  await Promise.all(Object.values(servers).map((server) => server.stop()));
});

/** Somebody with a browser of their own, who looks at pages of `server`. It is closed when the test `t` is over. */
export async function visitor(t, { server = servers.main, javaScript = true, ...options } = {}) {
  const context = await browser.newContext({ javaScriptEnabled: javaScript, baseURL: server.url, ...options });
  t.after(() => context.close());
  const somebody = await Visitor.in(context, server);
  somebody.another = () => visitor(t, { server, javaScript });
  somebody.agedAtHome = (which) => agedAtHome(somebody, which);
  return somebody;
}

async function signedInState(server, person) {
  const context = await browser.newContext({ baseURL: server.url });
  const visitor = await Visitor.in(context, server);
  await visitor.signIn(person);
  const state = await context.storageState();
  await context.close();
  return { person, state };
}

/** Somebody on the guarded server whose proof is no longer young enough for what matters. Several tests are them at the
    same time; whoever proves again asks for a person of their `own`. */
async function agedAtHome(visitor, { password = true, own = false } = {}) {
  const { person, state } = own ? aged.spare.pop() : password ? aged.person : aged.bare;
  await visitor.context.addCookies(state.cookies);
  await until(async () => {
    await visitor.go("/account/data");
    return visitor.$('form[action="/account/confirm"]').count();
  }, "a proof to grow old", 3 * PATIENCE);
  return person;
}
