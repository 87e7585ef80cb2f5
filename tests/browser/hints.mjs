// What password managers, phones and browsers are told about fields, on whatever page it stands.

/** What is wrong with the fields of the page's forms. `expected`: the `autocomplete` of each field that has one, by name. */
export async function hints(v, expected) {
  const forms = await v.page.evaluate(() => [...document.forms].map((form) => ({
    action: form.getAttribute("action"),
    method: form.method,
    fields: [...form.elements].filter((field) => field.matches("input:not([type=hidden])")).map((field) => ({
      name: field.name,
      type: field.type,
      autocomplete: field.autocomplete,
      inputmode: field.inputMode,
      most: field.maxLength,
      readonly: field.readOnly,
      tabindex: field.tabIndex,
      required: field.required,
      // Seen by nobody: out of the tree of the screen reader as well as of the page.
      unseen: field.ariaHidden === "true" || getComputedStyle(field).clipPath !== "none",
    })),
  })));
  const wrong = [];
  const found = {};
  for (const { action, method, fields } of forms) {
    const must = (what, holds) => holds || wrong.push(`the form ${action}: ${what}`);
    must("is posted", method === "post");
    must("stays here", action?.startsWith("/") && !action.startsWith("//"));
    const passwords = fields.filter((field) => field.type === "password");
    const names = fields.filter((field) => field.autocomplete === "username");
    if (passwords.length) must("names the account once, for password managers", names.length === 1);
    for (const field of fields) {
      const must_of = (what, holds) => must(`${field.name} ${what}`, holds);
      found[field.name] = field.autocomplete;
      must_of("has an end", field.readonly || (field.most > 0 && field.most <= 1024));
      must_of("says what it is for", field.autocomplete !== "");
      if (field.type === "password") must_of("is a password", /^(current|new)-password$/.test(field.autocomplete));
      if (field.type === "email") must_of("is an address", /^(email|username)$/.test(field.autocomplete));
      if (field.name === "code") must_of("is typed as digits", field.inputmode === "numeric" && field.most <= 16);
      // An unseen field that a browser fills gives away what nobody has chosen to send.
      if (field.unseen) must_of("can't be filled unseen", field.readonly && field.type === "text" && field.tabindex === -1);
    }
  }
  const said = JSON.stringify(sorted(found));
  const should = JSON.stringify(sorted(expected));
  if (said !== should) wrong.push(`fields are ${said}, not ${should}`);
  return wrong;
}

function sorted(object) {
  return Object.fromEntries(Object.entries(object).sort());
}
