/** The steps of a history, as plain data that fast-check makes and shrinks. */
import fc from "fast-check";

/** Who may be logged in. */
export const PEOPLE = ["ada", "bob", "eve"] as const;
/** Browsers with a cookie jar each. */
export const BROWSERS = 4;
/** Managers over the one store. */
export const NODES = 2;

/** How many sessions a login allows, and what is done with one too many. */
export interface Limit {
  readonly max: number;
  readonly onLimit: "evict-oldest" | "evict-idle" | "reject";
}

/** What only somebody who is logged in can do. */
export type UserDeed =
  | { readonly do: "approve" | "useApproval"; readonly action: string }
  | { readonly do: "elevate" | "reauthenticate" | "revokeOthers" };

/** What happens within a request. The request stays open until `commit`. */
export type Deed =
  | UserDeed
  | { readonly do: "set" | "delete"; readonly key: string }
  | {
      readonly do: "login";
      readonly who: string;
      readonly limit: Limit | null;
      readonly short: boolean;
    }
  | { readonly do: "logout"; readonly how: "logout" | "destroy" | "regenerate" }
  | { readonly do: "update" | "save" | "reload" | "touch" | "commit" | "rotate" };

/** A step that a session answers. `nth` picks among what there is, requests or sessions, the newest first. */
export type Asking =
  | { readonly on: "request"; readonly nth: number; readonly deed: Deed }
  | { readonly on: "begin"; readonly browser: number; readonly node: number }
  | {
      readonly on: "create";
      readonly who: string;
      readonly limit: Limit | null;
      readonly browser: number;
    }
  | { readonly on: "revoke" | "revokeAllBut"; readonly nth: number }
  | { readonly on: "revokeAll"; readonly who: string }
  | { readonly on: "revokeEveryone" };

/** Any step. */
export type Step =
  | Asking
  /** At the same time, each in a request of its own. */
  | { readonly on: "race"; readonly steps: readonly Asking[] }
  /** A browser gets a cookie of earlier, its own or another's: a thief, a backup, an old tab. */
  | { readonly on: "steal"; readonly browser: number; readonly nth: number }
  /** A node dies with its open requests; another one starts. */
  | { readonly on: "crash"; readonly node: number }
  /** All processes end, and others begin on what the store has kept. */
  | { readonly on: "restart" }
  | { readonly on: "wait"; readonly ms: number }
  /** Waits until a deadline of a session, or of a token in its grace time, is so many ms away. */
  | { readonly on: "waitFor"; readonly nth: number; readonly before: number };

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

const nth = fc.constantFrom(0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 7, 9);
const browser = fc.constantFrom(0, 0, 0, 1, 1, 2, 3);
const node = fc.nat(NODES - 1);
const who = fc.constantFrom("ada", "ada", "ada", "bob", ...PEOPLE);
const key = fc.constantFrom("a", "b", "c");
const limit = fc.option(
  record<Limit>({
    max: fc.integer({ min: 1, max: 3 }),
    onLimit: fc.constantFrom("evict-oldest", "evict-idle", "reject"),
  }),
  { freq: 4 },
);

const of = <Value>(weight: number, arbitrary: fc.Arbitrary<Value>) => ({ weight, arbitrary });

/** As fc.record, of plain objects, which print well. */
function record<Value>(model: {
  [Key in keyof Value]: fc.Arbitrary<Value[Key]>;
}): fc.Arbitrary<Value> {
  return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<Value>;
}

const action = fc.constantFrom("pay", "pay", "pay", "sell");
const rarely = fc.nat(4).map((dice) => dice === 0);

/** Deeds that are one operation of the store, so that a race of them must equal some order. */
const atomic: { weight: number; arbitrary: fc.Arbitrary<Deed> }[] = [
  of(20, fc.constant<Deed>({ do: "commit" })),
  of(14, fc.constant<Deed>({ do: "update" })),
  of(8, record<Deed>({ do: fc.constant("login"), who, limit, short: rarely })),
  of(6, fc.constant<Deed>({ do: "rotate" })),
  of(3, fc.constant<Deed>({ do: "elevate" })),
  of(2, fc.constant<Deed>({ do: "reauthenticate" })),
  of(1, fc.constant<Deed>({ do: "revokeOthers" })),
  of(6, fc.constant<Deed>({ do: "save" })),
  of(2, fc.constant<Deed>({ do: "reload" })),
  of(5, record<Deed>({ do: fc.constant("useApproval"), action })),
  of(
    2,
    record<Deed>({
      do: fc.constant("logout"),
      how: fc.constantFrom("logout", "destroy", "regenerate"),
    }),
  ),
];

const deed = fc.oneof(
  ...atomic,
  of(20, record<Deed>({ do: fc.constantFrom("set", "set", "set", "delete"), key })),
  of(3, fc.constant<Deed>({ do: "touch" })),
  of(8, record<Deed>({ do: fc.constant("approve"), action })),
);

const inRequest = (deeds: fc.Arbitrary<Deed>) =>
  record<Asking>({ on: fc.constant("request"), nth, deed: deeds });
const begin = record<Asking>({ on: fc.constant("begin"), browser, node });
const outside: { weight: number; arbitrary: fc.Arbitrary<Asking> }[] = [
  of(3, record<Asking>({ on: fc.constant("create"), who, limit, browser })),
  of(2, record<Asking>({ on: fc.constantFrom("revoke", "revokeAllBut"), nth })),
  of(1, record<Asking>({ on: fc.constant("revokeAll"), who })),
];

const any = fc.oneof(of(60, inRequest(fc.oneof(...atomic))), of(10, begin), ...outside);
const several = fc.array(any, { minLength: 2, maxLength: 3 });
/** The same of several requests at once, which is where the races of real systems are. */
const twins = fc
  .tuple(any, fc.integer({ min: 2, max: 3 }))
  .map(([step, many]) => Array<Asking>(many).fill(step));
const race = record<Step>({ on: fc.constant("race"), steps: fc.oneof(several, twins) });

const short = fc.constantFrom(1, SECOND, 9 * SECOND, 10 * SECOND, 61 * SECOND, 4 * MINUTE);
const long = fc.constantFrom(12 * MINUTE, 12 * MINUTE, 31 * MINUTE, 90 * MINUTE);

/** Two requests of one browser on two nodes: one does something; then the other, or both at the same time. */
const scene = fc
  .record({
    browser,
    isRace: fc.boolean(),
    created: fc.option(fc.record({ on: fc.constant("create" as const), who, limit })),
    deeds: fc.oneof(
      fc.tuple(deed, fc.oneof(...atomic)),
      action.map((name): [Deed, Deed] => [
        { do: "approve", action: name },
        { do: "useApproval", action: name },
      ]),
    ),
  })
  .map(({ browser: at, isRace, created, deeds: [first, then] }): Step[] => {
    const twin = { on: "request", nth: 0, deed: then } as const;
    return [
      ...(created ? [{ ...created, browser: at }] : []),
      { on: "begin", browser: at, node: 0 },
      { on: "begin", browser: at, node: 1 },
      { on: "request", nth: 0, deed: first },
      isRace ? { on: "race", steps: [twin, twin] } : { ...twin, nth: 1 },
    ];
  });

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  of(100, inRequest(deed)),
  of(40, begin),
  ...outside,
  of(16, race),
  of(4, record<Step>({ on: fc.constant("steal"), browser, nth })),
  of(12, record<Step>({ on: fc.constant("wait"), ms: short })),
  of(1, record<Step>({ on: fc.constant("wait"), ms: long })),
  of(4, record<Step>({ on: fc.constant("waitFor"), nth, before: fc.constantFrom(0, 1, 2, -1) })),
  of(2, record<Step>({ on: fc.constant("crash"), node })),
  of(1, fc.constantFrom<Step>({ on: "revokeEveryone" }, { on: "restart" })),
);

/** A history of about so many steps. */
export function history(steps: number): fc.Arbitrary<Step[]> {
  const single = anyStep.map((step) => [step]);
  return fc
    .array(fc.oneof(of(24, single), of(2, scene)), { minLength: 1, maxLength: steps, size: "max" })
    .map((parts) => parts.flat());
}
