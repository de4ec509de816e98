/** The store whose sessions are in the browsers, encrypted; what it keeps on the server is only what ended. */
import { systemClock } from "@sojourn/core/store";
import type { Clock, Store } from "@sojourn/core/store";
import { type Epochs, LedgerEpochs } from "./epochs.ts";
import { noEpochs } from "./no-epochs.ts";
import { type CookieStoreOptions, parseOptions, type ParsedOptions } from "./options.ts";
import { outsideStore } from "./outside.ts";
import { requestStore } from "./request.ts";

/**
 * A store for sessions of a few kilobytes: each travels with its browser in a cookie, encrypted (AES-256-GCM), bound to its token, and with its
 * deadlines inside. `epochs`, any other store, remembers what ended: so a copied cookie is dead after a logout, a login or a revocation.
 *
 * Of parallel requests of one browser that change data the last answer wins (G2 does not hold), and a browser can bring back an earlier state
 * of its session: keep no counters and nothing that is good once in it. There is no list: no `list`, `count`, `max`.
 * @throws SOJOURN_OPTIONS_INVALID, also without `epochs`
 */
export function cookieStore(options: CookieStoreOptions): Store {
  const parsed = parseOptions(options);
  const { epochs: beside, ring, chunks, compress } = parsed;
  const clock = parsed.clock ?? (beside === "none" ? systemClock : beside.clock);
  const epochsOf = epochsBy(parsed, clock);
  const outside = outsideStore({ beside: beside === "none" ? null : beside, clock, epochsOf });
  return {
    ...outside,
    carrier: {
      chunks,
      forRequest: (brought) => requestStore({ outside, epochsOf, ring, compress }, brought),
    },
  };
}

/** The epochs of each kind of sessions. */
function epochsBy(
  { epochs: store, everyoneEveryMs }: ParsedOptions,
  clock: Clock,
): (kind: string) => Epochs {
  if (store === "none") return () => noEpochs;
  const byKind = new Map<string, Epochs>();
  return (kind) => {
    const epochs = byKind.get(kind) ?? new LedgerEpochs({ store, kind, clock, everyoneEveryMs });
    byKind.set(kind, epochs);
    return epochs;
  };
}
