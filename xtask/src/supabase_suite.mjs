// The parts of `cargo xtask supabase-suite` that read JSON: `prepare FOLDER WORKSPACE` and `report FILE`.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [what, ...args] = process.argv.slice(2);
if (what === "prepare") prepare(...args);
else report(...args);

/** Makes a package of a workspace one that npm can install alone: versions of the workspace's catalog are written out. */
function prepare(folder, workspace) {
  const lines = readFileSync(workspace, "utf8").split("\n");
  const catalog = {};
  const begin = lines.indexOf("catalog:") + 1;
  for (const line of lines.slice(begin)) {
    const [, name, version] = line.match(/^ {2}'?([^':]+)'?: '?([^'#\s]+)/) ?? [];
    if (name) catalog[name] = version;
    else if (line && !line.startsWith(" ")) break;
  }
  const file = join(folder, "package.json");
  const manifest = JSON.parse(readFileSync(file, "utf8"));
  // What makes documentation is large, and no test asks for it.
  delete manifest.devDependencies.typedoc;
  for (const [name, version] of Object.entries(manifest.devDependencies)) {
    if (version !== "catalog:") continue;
    if (!catalog[name]) throw new Error(`the workspace's catalog has no ${name}`);
    manifest.devDependencies[name] = catalog[name];
  }
  writeFileSync(file, JSON.stringify(manifest, null, 2));
}

/** What passed and what failed, and why in a line. */
function report(file) {
  const { testResults } = JSON.parse(readFileSync(file, "utf8"));
  const sums = { passed: 0, failed: 0 };
  for (const { name, message, assertionResults } of testResults) {
    const failed = assertionResults.filter(({ status }) => status === "failed");
    const passed = assertionResults.filter(({ status }) => status === "passed").length;
    sums.passed += passed;
    // A file that could not be run at all has a message, and no test.
    const whole = assertionResults.length === 0 && message ? 1 : 0;
    sums.failed += failed.length + whole;
    console.log(`${name.split("/test/").at(-1)}: ${passed} passed, ${failed.length + whole} failed`);
    if (whole) console.log(`  it could not run: ${line(message)}`);
    for (const { fullName, failureMessages } of failed) console.log(`  ${fullName}\n      ${line(failureMessages[0])}`);
  }
  console.log(`\n${sums.passed} passed, ${sums.failed} failed`);
}

function line(text) {
  const said = text.split("\n").map((part) => part.trim()).filter((part) => part && !part.startsWith("at "));
  return said.join(" ").replace(/^Error: /, "").slice(0, 300);
}
