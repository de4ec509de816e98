/** `epochs: 'none'`: nothing is remembered, so a session ends in its own browser only. */
import type { Epochs } from "./epochs.ts";
import { unsupported } from "./errors.ts";

/** Believes every sealed record until it expires. */
export const noEpochs: Epochs = {
  stamp: async () => ({ owner: 0, everyone: 0 }),
  judge: async () => ({ status: "alive" }),
  endingOf: async () => null,
  end: async () => true,
  endHandle: async () => refuse("end a session from outside its own request"),
  succeed: async () => ({ status: "alive" }),
  endOwner: async () => refuse("end the sessions of a user"),
  endAll: async () => refuse("end everyone's sessions, except by a change of the secret"),
};

function refuse(what: string): never {
  throw unsupported(`with epochs: 'none' it cannot ${what}: give it a store as epochs`);
}
