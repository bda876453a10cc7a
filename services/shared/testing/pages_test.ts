import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** Paths of all pages of the project, relative to it. */
function pages(folder = ""): string[] {
  return [...Deno.readDirSync(`${ROOT}${folder}`)].flatMap(({ name, isDirectory }) => {
    const path = join(folder, name);
    if (isDirectory) return /^\.|node_modules|^dist$|^data$/.test(name) ? [] : pages(path);
    return name.endsWith(".md") ? [path] : [];
  });
}

const text = (page: string) => Deno.readTextFileSync(`${ROOT}${page}`);

/** Anchors of a page's headings, as they are made of their words. */
function anchors(page: string): string[] {
  return [...text(page).matchAll(/^#+ (.*)$/gm)]
    .map(([, heading]) => heading!.toLowerCase().replace(/[^\w\- ]/g, "").replaceAll(" ", "-"));
}

function exists(path: string): boolean {
  try {
    Deno.statSync(`${ROOT}${path}`);
    return true;
  } catch {
    return false;
  }
}

Deno.test("every link from page to page leads somewhere", () => {
  const broken: string[] = [];
  for (const page of pages()) {
    for (const [, link] of text(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (link!.includes("://")) continue;
      const [path, anchor] = link!.split("#") as [string, string?];
      const target = path === "" ? page : join(dirname(page), path);
      const leads = exists(target) && (anchor === undefined || anchors(target).includes(anchor));
      if (!leads) broken.push(`${page}: ${link}`);
    }
  }
  assert.deepEqual(broken, []);
});

Deno.test("what a newcomer reads says nothing of tokens", () => {
  for (const page of ["README.md", "services/inference/README.md"]) {
    assert.doesNotMatch(text(page), /token|jwt|AUTH_MODE/i, page);
  }
});
