/** The files that pages load: read once, and cached by browsers for an hour. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

const TYPES = {
  "style.css": "text/css; charset=utf-8",
  "icon.svg": "image/svg+xml",
  "contours.svg": "image/svg+xml",
  "live.js": "text/javascript; charset=utf-8",
};
const files = new Map(
  Object.entries(TYPES).map(([name, type]) => {
    const body = readFileSync(new URL(`assets/${name}`, import.meta.url));
    const version = createHash("sha256").update(body).digest("base64url").slice(0, 10);
    return [name, { type, body, version }];
  }),
);

/** A file as `{ body, headers }`, or null if there is none of this name. */
export function asset(name) {
  const file = files.get(name);
  if (!file) return null;
  return {
    body: file.body,
    headers: { "Content-Type": file.type, "Cache-Control": "public, max-age=3600" },
  };
}

/** The address of a file, with its version. */
export const assetPath = (name) => `/assets/${name}?v=${files.get(name).version}`;
