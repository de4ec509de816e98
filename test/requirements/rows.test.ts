/** Every promised feature and requirement is cited by a test, every cited one is promised, and docs/security.md says so. */
import { expect, test } from "vitest";
import { rows } from "./rows.ts";
import { security } from "./security.ts";
import { securityPage } from "./page.ts";
import { securityCitations, sources } from "./sources.ts";

const ID = /\b(?:[A-FX]-\d\d|G[1-7])\b/g;

/** The files that cite, by id. */
function citations(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const { path, text } of sources()) {
    for (const [id] of text.matchAll(ID)) found.set(id, (found.get(id) ?? new Set()).add(path));
  }
  return found;
}

test("every row is cited by a test", () => {
  const cited = citations();
  const missing = Object.entries(rows).filter(([id]) => !cited.has(id));
  expect(missing.map(([id, title]) => `${id} ${title}`)).toEqual([]);
});

test("every id that a test cites is a row", () => {
  const unknown = [...citations()].filter(([id]) => !(id in rows));
  expect(unknown.map(([id, paths]) => `${id} in ${[...paths].join(", ")}`)).toEqual([]);
});

test("every security row that is met is cited at the beginning of a title, and no other is", () => {
  const cited = securityCitations();
  const problems = security.flatMap(({ id, status }) => {
    if ("met" in status) return cited.has(id) ? [] : [`${id} is cited by no test`];
    return cited.has(id) ? [`${id} is said to be not here, and a test cites it`] : [];
  });
  expect(problems).toEqual([]);
});

test("every security id that a title begins with is a row, and is there once", () => {
  const ids = security.map(({ id }) => id);
  const unknown = [...securityCitations()].filter(([id]) => !ids.includes(id));
  expect(unknown.map(([id, at]) => `${id} in ${at[0]?.path}`)).toEqual([]);
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
});

test("docs/security.md is the page of the rows and the tests (vitest -u writes it)", async () => {
  await expect(securityPage()).toMatchFileSnapshot("../../docs/security.md");
});
