// Does with Swagger UI what a person does: Authorize, user name, password, try the protected route out.
// Prints one line of JSON: what the route answered, and every address that the page has asked. test.py judges it.
import { chromium } from "playwright-core";

const { APP_URL, SIGN_IN_AS, SIGN_IN_PASSWORD, CHROMIUM } = process.env;
const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true });
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  const asked = [];
  page.on("request", (request) => asked.push(`${request.method()} ${request.url()}`));
  page.on("console", (message) => message.type() === "error" && console.error(message.text()));

  await page.goto(`${APP_URL}/docs`);
  await page.getByRole("button", { name: "Authorize" }).first().click();
  const dialog = page.locator(".dialog-ux .modal-ux");
  await dialog.locator("#oauth_username").fill(SIGN_IN_AS);
  await dialog.locator("#oauth_password").fill(SIGN_IN_PASSWORD);
  await dialog.locator("button.authorize").click();
  // Either it is authorized now, or it shows why not.
  const signedIn = dialog.getByText("Logout");
  const refused = dialog.locator(".errors");
  await signedIn.or(refused).first().waitFor();
  const error = (await refused.count()) ? (await refused.first().innerText()).trim() : null;
  await dialog.getByRole("button", { name: "Close" }).click();

  const operation = page.locator(".opblock").filter({ hasText: "/users/me" });
  await operation.locator(".opblock-summary-control").click();
  await operation.getByRole("button", { name: "Try it out" }).click();
  await operation.getByRole("button", { name: "Execute" }).click();
  const live = operation.locator(".live-responses-table .response");
  // Below the number it may say "Undocumented".
  const status = parseInt(await live.locator(".response-col_status").innerText(), 10);
  const body = await live.locator(".highlight-code code").first().innerText();
  console.log(JSON.stringify({ error, status, body, asked }));
} finally {
  await browser.close();
}
