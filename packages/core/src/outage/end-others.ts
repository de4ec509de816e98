/** Ends an owner's records but one, or all of them where that one is over itself. */
import type { Ending, Handle, OwnerKey, Store } from "../store/contract.ts";

/** How many were ended. For whoever wants the others gone, whatever became of the one to spare. */
export async function endOthers(
  store: Pick<Store, "endOwner">,
  { kind, owner }: { readonly kind: string; readonly owner: OwnerKey },
  ending: Ending,
  except: Handle | undefined,
): Promise<number> {
  const count = except && (await store.endOwner(kind, owner, ending, except));
  return count ?? (await store.endOwner(kind, owner, ending)) ?? 0;
}
