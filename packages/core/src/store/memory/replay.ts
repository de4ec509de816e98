/** Builds a table again from effects. Whatever was applied before, the latest effect of a key wins. */
import type { Effect } from "./effects.ts";
import { copyEnding, copyRecord, copyTombstone } from "./entry.ts";
import type { KindTable } from "./kind.ts";

/** Applies effects in order; `kindOf` makes a kind that is not there yet. Judges no expiry. */
export function replay(effects: Iterable<Effect>, kindOf: (name: string) => KindTable): void {
  for (const effect of effects) {
    if ("put" in effect) {
      kindOf(effect.put.kind).put(copyRecord(effect.put));
    } else if ("touch" in effect) {
      const { kind, key, seenAt, expiresAt } = effect.touch;
      const record = kindOf(kind).recordAt(key);
      if (record !== null) kindOf(kind).put(copyRecord({ ...record, seenAt, expiresAt }));
    } else if ("end" in effect) {
      const { end, moved } = effect;
      kindOf(end.kind).bury(copyTombstone(end), moved && { to: moved.to, until: moved.until });
    } else if ("drop" in effect) {
      kindOf(effect.drop.kind).remove(effect.drop.key);
    } else {
      kindOf(effect.endAll.kind).retire(copyEnding(effect.endAll.ending), false);
    }
  }
}
