/** Makes an answer that is held back look sent. */
import type { HoldableResponse } from "./holdable.ts";
import { headersSentError } from "./node-errors.ts";

const STATE = Symbol("sojourn.seal");

interface SealState {
  /** Whether it looks sent at present. */
  isSealed: boolean;
  isEnded: boolean;
  /** The methods that ours lie on. */
  readonly below: Record<string, unknown>;
}
interface Sealable extends HoldableResponse {
  [STATE]?: SealState;
}
type Method = (this: Sealable, ...args: unknown[]) => unknown;

/** Called by middleware that asks `_header`, which only Node can set, whether headers have left. */
const IMPLICIT_HEADER = "_implicitHeader";
const METHODS: readonly (readonly [name: string, method: Method])[] = [
  "setHeader",
  "setHeaders",
  "appendHeader",
  "removeHeader",
  IMPLICIT_HEADER,
].map((name) => [name, sealedMethod(name)]);
const GETTERS: PropertyDescriptorMap = {
  headersSent: sealedGetter("headersSent", () => true),
  writableEnded: sealedGetter("writableEnded", ({ isEnded }) => isEnded),
};

/**
 * Makes the response look sent: `headersSent` is true and headers cannot be changed. What does that
 * is shared by all responses and stays on them: V8 slows objects that properties are deleted from.
 */
export function seal(response: HoldableResponse): void {
  (response as Sealable)[STATE] ??= install(response);
  setSeal(response, { isSealed: true, isEnded: false });
}

/** From now on `writableEnded` is true. */
export function sealEnd(response: HoldableResponse): void {
  setSeal(response, { isSealed: true, isEnded: true });
}

/** The response looks as it is. */
export function unseal(response: HoldableResponse): void {
  setSeal(response, { isSealed: false, isEnded: false });
}

function setSeal(response: Sealable, state: Omit<SealState, "below">): void {
  if (response[STATE]) Object.assign(response[STATE], state);
}

function install(response: HoldableResponse): SealState {
  const below: Record<string, unknown> = {};
  for (const [name, method] of METHODS) {
    below[name] = Reflect.get(response, name);
    if (below[name]) Reflect.set(response, name, method);
  }
  Object.defineProperties(response, GETTERS);
  return { isSealed: false, isEnded: false, below };
}

function sealedMethod(name: string): Method {
  return function (...args) {
    const state = this[STATE];
    const below = state?.below[name];
    if (!state?.isSealed)
      return typeof below === "function" ? Reflect.apply(below, this, args) : undefined;
    if (name === IMPLICIT_HEADER) return undefined;
    throw headersSentError(this, name);
  };
}

function sealedGetter(name: string, view: (state: SealState) => boolean): PropertyDescriptor {
  return {
    configurable: true,
    get(this: Sealable): unknown {
      const state = this[STATE];
      if (state?.isSealed) return view(state);
      return Reflect.get(Object.getPrototypeOf(this) as object, name, this);
    },
  };
}
