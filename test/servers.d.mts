/** Path of a program that the tests need, or null. */
export function findServer(name: "chromium" | "postgres" | "redis" | "valkey"): string | null;
/** Installs what is missing, where this is root on Debian. True: all there. */
export function provideServers(): boolean;
