// Somebody else's site: another origin, under two names. As 127.0.0.1 it is another site than ours, as localhost it is a
// neighbour on the same one, to whose requests the browser adds our cookies.
import { createServer } from "node:http";

/** Begins it, until the test `t` is over. */
export async function site(t) {
  const pages = new Map();
  const asked = [];
  const server = createServer((request, response) => {
    asked.push({ url: request.url, headers: request.headers });
    const page = pages.get(new URL(request.url, "http://site").pathname);
    const type = page?.type ?? "text/html";
    response.writeHead(page ? 200 : 404, { "Content-Type": `${type}; charset=utf-8`, Connection: "close" });
    response.end(page ? (type === "text/html" ? `<!doctype html><title>elsewhere</title>${page.text}` : page.text) : "nothing");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address();
  return {
    foreign: `http://127.0.0.1:${port}`,
    neighbour: `http://localhost:${port}`,
    asked,
    /** Puts a page, or something else, at a path. */
    put: (path, text, type = "text/html") => pages.set(path, { text, type }),
  };
}

/** A form that sends itself. */
export function form(action, fields, { enctype = "application/x-www-form-urlencoded" } = {}) {
  const attribute = (text) => String(text).replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  const inputs = Object.entries(fields).map(([name, value]) => `<input name="${attribute(name)}" value="${attribute(value)}">`);
  return `<form id="f" method="post" enctype="${enctype}" action="${attribute(action)}">${inputs.join("")}</form><script>f.submit()</script>`;
}
