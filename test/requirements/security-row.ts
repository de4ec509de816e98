/** One requirement of a standard, or one attack, and what becomes of it here. */

/** A row of the security table. Tests cite its id at the beginning of their titles. */
export interface SecurityRow {
  /** As tests cite it: `ASVS 7.2.4`, `NIST 5.1-csrf`, `OWASP-strict`, `CSRF-token`, `COOKIE-size`, `T-RES1`. */
  readonly id: string;
  /** Level of the ASVS (`L1` …), verb of NIST, or for an attack where it happened. */
  readonly source: string;
  /** What is asked, in our own words. */
  readonly requirement: string;
  readonly status: Met | NotHere;
}

/** It holds; at least one test must cite it. */
interface Met {
  /** How. */
  readonly met: string;
}

/** It does not hold here; no test may cite it. */
interface NotHere {
  /** Why: whose duty it is, or what is not built. */
  readonly notHere: string;
}

/** A row as it is written down. */
type Entry = readonly [id: string, source: string, requirement: string, status: Met | NotHere];

/** Rows of entries. */
export function rowsOf(entries: readonly Entry[]): readonly SecurityRow[] {
  return entries.map(([id, source, requirement, status]) => ({ id, source, requirement, status }));
}
