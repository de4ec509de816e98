/** A durable session store in one file. */
export { fileStore } from "./store.ts";
export { DEFAULTS } from "./options.ts";
export type { FileStoreOptions, OpenReport } from "./options.ts";
export type { Durability } from "./journal.ts";
