// Every page in every state that it has: how one gets there, the status that it answers with, and for forms, which of
// their fields password managers and phones have to understand, and as what. Whoever adds a page adds a line here.
import { randomUUID } from "node:crypto";
import { PASSWORD, someone } from "./server.mjs";
import { servers } from "./stage.mjs";

const ENTRY = { identifier: "username", password: "current-password" };
const ADDRESS = { identifier: "email" };
const CODE = { code: "one-time-code" };
const NEW = { username: "username", password: "new-password" };
const CHANGE = { username: "username", current_password: "current-password", password: "new-password" };
const CONFIRM = { username: "username", password: "current-password" };
const PROFILE = { name: "name", email: "email", username: "username" };
const INVITED = { username: "username", name: "name", password: "new-password" };

/** Somebody who typed their address, and waits for the mail to it. */
async function asked(v, kind, email) {
  await v.go(`/${kind}`);
  await v.send(`/${kind}`, { identifier: email }, kind === "sign-in" ? 'button[value="code"]' : undefined);
}

/** On to where a new account chooses a password. */
async function proven(v, kind, email) {
  await asked(v, kind, email);
  await v.sendStep("code", { code: (await v.server.mail(email)).code });
}

/** Signed in twice, with two accounts. The second one is current. */
async function two(v) {
  await v.atHome();
  return v.atHome();
}

/** The address in the mail that another browser asked for. */
async function elsewhere(v, ask) {
  const other = await v.another();
  const email = await ask(other);
  return (await v.server.mail(email)).link;
}

async function known(v, kind) {
  const { email } = await v.server.person();
  await asked(v, kind, email);
  return email;
}

async function unknown(v) {
  const email = someone();
  await asked(v, "sign-up", email);
  return email;
}

async function invited(v) {
  const email = someone();
  await v.server.api("POST", "/invitations", { email });
  await v.go((await v.server.mail(email)).link);
  return email;
}

async function follow(v) {
  await v.send("/verify", {});
}

/** A step-up that was asked for by the button of a page. */
async function confirming(v, person) {
  const who = await v.agedAtHome(person);
  await v.send("/account/confirm", {});
  return who;
}

async function wrongCode(v, email) {
  const { code } = await v.server.mail(email);
  await v.sendStep("code", { code: code === "111111" ? "222222" : "111111" });
}

const GUARDED = { server: () => servers.guarded };
const IDLE = { server: () => servers.idle };

/** Name, way there, and what is not as usual: `status` 200, `server` main, no `fields`. */
export const STATES = [
  ["start", (v) => v.go("/")],
  ["the reference", (v) => v.go("/docs"), { large: true }],
  ["the mailbox, empty", (v) => v.go("/dev/mail"), IDLE],
  ["the mailbox", async (v) => { await v.server.mail(await known(v, "sign-in")); await v.go("/dev/mail"); }],
  ["nothing here", (v) => v.go("/nowhere"), { status: 404 }],

  ["sign-in", (v) => v.go("/sign-in"), { fields: ENTRY }],
  ["sign-in for a path", (v) => v.go("/sign-in?return_to=/account/data"), { fields: ENTRY }],
  ["sign-in in German", (v) => v.go("/sign-in?lang=de"), { fields: ENTRY }],
  ["sign-in from right to left", (v) => v.go("/sign-in?lang=ar"), { fields: ENTRY }],
  ["sign-in without a name", async (v) => {
    await v.go("/sign-in");
    await v.send("/sign-in", { identifier: " ", password: PASSWORD });
  }, { status: 400, fields: ENTRY }],
  ["sign-in with a wrong password", async (v) => {
    const { email } = await v.server.person();
    await v.go("/sign-in");
    await v.send("/sign-in", { identifier: email, password: "not the password" });
  }, { status: 403, fields: ENTRY }],
  ["sign-in by code", (v) => known(v, "sign-in"), { fields: CODE }],
  ["sign-in by code, nobody there", (v) => asked(v, "sign-in", someone()), { fields: CODE }],
  ["sign-in with a wrong code", async (v) => wrongCode(v, await known(v, "sign-in")), { status: 403, fields: CODE }],
  ["sign-in, another mail", async (v) => { await known(v, "sign-in"); await v.sendStep("send"); }, { fields: CODE }],
  ["sign-in that is over", (v) => v.go(`/sign-in/${randomUUID()}`), { status: 404 }],
  ["sign-in, no such step", (v) => v.go("/sign-in/x"), { status: 404 }],
  ["chooser", async (v) => { await v.atHome(); await v.go("/sign-in"); }],
  ["chooser of two", async (v) => { await two(v); await v.go("/sign-in"); }],
  ["chooser, none current", async (v) => {
    await two(v);
    await v.go("/sign-out");
    await v.send("/sign-out", {});
    await v.go("/sign-in");
  }],
  ["sign-in with another account", async (v) => { await v.atHome(); await v.go("/sign-in?another=1"); }, { fields: ENTRY }],

  ["sign-up", (v) => v.go("/sign-up"), { fields: ADDRESS }],
  ["sign-up with half an address", async (v) => {
    await v.go("/sign-up");
    await v.send("/sign-up", { identifier: "ada@localhost" });
  }, { status: 400, fields: ADDRESS }],
  ["sign-up by code", (v) => unknown(v), { fields: CODE }],
  ["sign-up with a wrong code", async (v) => wrongCode(v, await unknown(v)), { status: 403, fields: CODE }],
  ["sign-up, the password", (v) => proven(v, "sign-up", someone()), { fields: NEW }],
  ["sign-up, a weak password", async (v) => {
    await proven(v, "sign-up", someone());
    await v.sendStep("new_password", { password: "password" });
  }, { status: 400, fields: NEW }],
  ["sign-up by invitation only", (v) => v.go("/sign-up"), GUARDED],
  ["sign-up closed", (v) => v.go("/sign-up"), { server: () => servers.closed }],

  ["recover", (v) => v.go("/recover"), { fields: { identifier: "username" } }],
  ["recover by code", (v) => known(v, "recover"), { fields: CODE }],
  ["recover, the password", async (v) => proven(v, "recover", (await v.server.person()).email), { fields: NEW }],

  ["verify without a link", (v) => v.go("/verify")],
  ["a link that is none", (v) => v.go("/verify?token=x"), { status: 410 }],
  ["a link said twice", (v) => v.go("/verify?token=x&token=y"), { status: 410 }],
  ["a link where it was asked for", async (v) => v.go((await v.server.mail(await known(v, "sign-in"))).link)],
  ["a link elsewhere", async (v) => v.go(await elsewhere(v, (other) => known(other, "sign-in")))],
  ["a link of a sign-up", async (v) => v.go((await v.server.mail(await unknown(v))).link)],
  ["a link of a recovery", async (v) => v.go((await v.server.mail(await known(v, "recover"))).link)],
  ["a link while another is signed in", async (v) => {
    await v.atHome();
    await v.go(await elsewhere(v, (other) => known(other, "sign-in")));
  }],
  ["a link that is spent", async (v) => {
    const { link } = await v.server.mail(await known(v, "sign-in"));
    await v.go(link);
    await follow(v);
    await v.go(link);
  }, { status: 410 }],
  ["a link's end", async (v) => { await v.go((await v.server.mail(await known(v, "sign-in"))).link); await follow(v); }],
  ["a link's password", async (v) => {
    await v.go((await v.server.mail(await unknown(v))).link);
    await follow(v);
  }, { fields: NEW }],
  ["a link's weak password", async (v) => {
    await v.go((await v.server.mail(await unknown(v))).link);
    await follow(v);
    await v.send("/verify/password", { password: "password" });
  }, { status: 400, fields: NEW }],
  ["a link of somebody's session, elsewhere", async (v) => {
    await v.go(await elsewhere(v, async (other) => {
      const { email } = await confirming(other);
      await other.sendStep("send");
      return email;
    }));
  }, GUARDED],

  ["an invitation", (v) => invited(v), { ...GUARDED, fields: INVITED }],
  ["an invitation, a weak password", async (v) => {
    await invited(v);
    await v.send("/verify/invitation", { password: "password" });
  }, { ...GUARDED, status: 400, fields: NEW }],
  ["an invitation while another is signed in", async (v) => { await v.atHome(); await invited(v); }, { ...GUARDED, fields: INVITED }],
  ["an invitation that is spent", async (v) => {
    const email = await invited(v);
    await v.send("/verify/invitation", { password: PASSWORD });
    await v.go((await v.server.mail(email)).link);
  }, { ...GUARDED, status: 410 }],

  ["sign-out", async (v) => { await v.atHome(); await v.go("/sign-out"); }],
  ["signed out", (v) => v.go("/sign-out")],
  ["signed out, others left", async (v) => { await two(v); await v.go("/sign-out"); await v.send("/sign-out", {}); }],

  ["account", async (v) => { await v.atHome({ name: "Ada Lovelace" }); await v.go("/account"); }, { fields: PROFILE }],
  ["account from right to left", async (v) => { await v.atHome(); await v.go("/account?lang=ar"); }, { fields: PROFILE }],
  ["devices from right to left", async (v) => { await v.atHome(); await v.go("/account/sessions?lang=ar"); }],
  ["account without proof", async (v) => { await v.agedAtHome(); await v.go("/account"); }, { ...GUARDED, fields: { name: "name" } }],
  ["account, saved", async (v) => {
    await v.atHome();
    await v.go("/account");
    await v.send("/account/name", { name: "Ada Lovelace" });
  }, { fields: PROFILE }],
  ["account, half an address", async (v) => {
    await v.atHome();
    await v.go("/account");
    await v.send("/account/email", { email: "ada@localhost" });
  }, { status: 400, fields: PROFILE }],
  ["account, a username that somebody has", async (v) => {
    const taken = `ada${process.pid}`;
    await v.atHome();
    await v.go("/account");
    await v.send("/account/username", { username: taken });
    await v.atHome();
    await v.go("/account");
    await v.send("/account/username", { username: taken });
  }, { status: 409, fields: PROFILE }],
  ["account, a new address", async (v) => {
    await v.atHome();
    await v.go("/account");
    await v.send("/account/email", { email: someone() });
  }, { fields: CODE }],
  ["password", async (v) => { await v.atHome(); await v.go("/account/security"); }, { fields: CHANGE }],
  ["password of somebody who has none", async (v) => {
    await v.atHome({ password: null });
    await v.go("/account/security");
  }, { fields: NEW }],
  ["password without proof", async (v) => {
    await v.agedAtHome({ password: false });
    await v.go("/account/security");
  }, GUARDED],
  ["password, a wrong one", async (v) => {
    await v.atHome();
    await v.go("/account/security");
    await v.send("/account/security", { current_password: "not the password", password: "seven kettle lanterns copper" });
  }, { status: 403, fields: CHANGE }],
  ["password, a weak one", async (v) => {
    await v.atHome();
    await v.go("/account/security");
    await v.send("/account/security", { current_password: PASSWORD, password: "password" });
  }, { status: 400, fields: CHANGE }],
  ["devices", async (v) => {
    const person = await v.atHome();
    await (await v.another()).signIn(person);
    await v.go("/account/sessions");
  }],
  ["devices, one signed out", async (v) => {
    const person = await v.atHome();
    await (await v.another()).signIn(person);
    await v.go("/account/sessions");
    await v.send("/account/sessions", {}, "button.btn");
  }],
  ["data", async (v) => { await v.atHome(); await v.go("/account/data"); }],
  ["data without proof", (v) => v.agedAtHome(), GUARDED],
  ["delete", async (v) => { await v.atHome(); await v.go("/account/delete"); }],
  ["delete without proof", async (v) => { await v.agedAtHome(); await v.go("/account/delete"); }, GUARDED],
  ["deleted", async (v) => {
    await v.atHome();
    await v.go("/account/delete");
    await v.send("/account/delete", {});
  }],
  ["account, not signed in", (v) => v.go("/account"), { fields: ENTRY }],
  ["confirm", (v) => confirming(v), { ...GUARDED, fields: CONFIRM }],
  ["confirm with a wrong password", async (v) => {
    await confirming(v);
    await v.sendStep("password", { password: "not the password" });
  }, { ...GUARDED, status: 403, fields: CONFIRM }],
  ["confirm by code", async (v) => { await confirming(v); await v.sendStep("send"); }, { ...GUARDED, fields: CODE }],
  ["confirm without a password", (v) => confirming(v, { password: false }), GUARDED],
].map(([name, open, { status = 200, server = () => servers.main, fields = {}, large = false } = {}]) => ({
  name, open, status, server, fields, large,
}))
  // Those that want an aged proof come last: it ages meanwhile.
  .sort((a, b) => (a.server === GUARDED.server) - (b.server === GUARDED.server));
