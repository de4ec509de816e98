/** Every security requirement and attack, in the order of docs/security.md. */
import { asvs } from "./asvs.ts";
import { attacks } from "./attacks.ts";
import { cheatSheet, cookies, csrf } from "./guidance.ts";
import { nist } from "./nist.ts";
import type { SecurityRow } from "./security-row.ts";

/** The tables by their titles; `source`: what the second column is called. */
export const tables: readonly {
  readonly title: string;
  readonly source: string | null;
  readonly rows: readonly SecurityRow[];
}[] = [
  { title: "OWASP ASVS 5.0", source: "level", rows: asvs },
  { title: "NIST SP 800-63B-4", source: "verb", rows: nist },
  { title: "OWASP Session Management Cheat Sheet", source: null, rows: cheatSheet },
  { title: "Cross-site request forgery", source: null, rows: csrf },
  { title: "Cookies: RFC 6265bis and others", source: null, rows: cookies },
  { title: "Attacks", source: "seen at", rows: attacks },
];

/** All rows. */
export const security: readonly SecurityRow[] = tables.flatMap(({ rows }) => rows);
