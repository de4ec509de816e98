/** A key that is kept elsewhere, and fails when it is told to: what it then throws need not be an error. */
import type { ExternalKey } from "@sojourn/core";

export interface FailingKey {
  readonly key: ExternalKey;
  /** From now on it throws this. */
  readonly fail: (thrown: unknown) => void;
}

export function failingKey(): FailingKey {
  const mac = Buffer.alloc(32, 1);
  let failure: { readonly thrown: unknown } | null = null;
  const verify = (): boolean => {
    if (failure === null) return true;
    throw failure.thrown;
  };
  return {
    key: { id: "ours", sign: () => mac, verify },
    fail: (thrown) => (failure = { thrown }),
  };
}
