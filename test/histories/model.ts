/**
 * What sessions are, as a program that is too simple to be wrong: no store, no versions, no concurrency. One step
 * happens at one instant. The histories compare every answer, and all that is stored, with it. This half is about
 * requests and what they know.
 */
import { isDeepStrictEqual } from "node:util";
import { TIMES } from "./acts.ts";
import type { Act, Answer, Data, Seen, View } from "./acts.ts";
import { SessionModel } from "./sessions.ts";
import type { Book, Session, Token } from "./sessions.ts";
import type { Deed, UserDeed } from "./steps.ts";

/** How long an approval is good, in ms. */
const APPROVED = 120_000;

/** An open request, with what it knows, which may be old by now. */
interface Request {
  /** `ended`: the session ended under its feet, or it came too late; nothing of it is written any more. */
  phase: "fresh" | "alive" | "ended";
  session: Session | null;
  /** What opens the session to it. */
  token: Token | null;
  /** Let in by an old token in its grace time. */
  graced: boolean;
  readonly hadCookie: boolean;
  /** The data as it was read. */
  base: Data;
  /** What the request changed since; null where it removed a key. */
  own: Data;
  version: number;
  level: number;
  seenAt: number;
  absoluteExpiresAt: number;
  touch: boolean;
  /** How much of the newest it has read is up to the store: nothing can be said of it any more. */
  vague: boolean;
  /** A new token for the browser. */
  minted: Token | null;
  clear: boolean;
}

interface State {
  readonly book: Book;
  readonly requests: Map<number, Request>;
  /** By handle and action: until when. */
  readonly approvals: Map<string, number>;
}

/** See the top of the file. */
export class Model extends SessionModel {
  readonly #state: State;

  private constructor(state: State) {
    super(state.book);
    this.#state = state;
  }

  static at(now: number): Model {
    const book: Book = { now, sessions: new Map(), tokens: [] };
    return new Model({ book, requests: new Map(), approvals: new Map() });
  }

  /** Another one that knows the same. */
  clone(): Model {
    return new Model(structuredClone(this.#state));
  }

  /** The request is no more, and wrote nothing. */
  forget(request: number): void {
    this.#state.requests.delete(request);
  }

  /** Handle of the session that a request knows, or null. */
  handleIn(request: number): string | null {
    return this.#state.requests.get(request)?.session?.handle ?? null;
  }

  isVague(request: number): boolean {
    return this.#state.requests.get(request)?.vague === true;
  }

  /** Does what the act does; returns what it must answer. */
  apply(act: Act, seen: Seen): Answer {
    switch (act.act) {
      case "begin":
        return this.#begin(act.request, act.cookie, seen);
      case "deed":
        return this.#deed(act, seen);
      case "create": {
        const session = this.login(act, null, {}, seen);
        if (session === null) return { error: "SOJOURN_LIMIT_REACHED" };
        const { handle, principal, level, data } = session;
        return {
          view: { handle, principal, level, data },
          cookie: this.nameOf(session.token, seen),
        };
      }
      case "revoke": {
        const session = this.book.sessions.get(act.handle);
        const isAlive = session !== undefined && this.isAlive(session);
        if (isAlive) this.end(session, "revoked");
        return { value: isAlive };
      }
      case "revokeAll":
        return { value: this.revokeAll(act.who, act.except) };
      case "revokeEveryone":
        for (const session of this.alive()) this.end(session, "revoked");
        return { value: null };
    }
  }

  #begin(id: number, cookie: string | null, seen: Seen): Answer {
    const token = this.tokenOf(cookie);
    const request: Request = {
      phase: "fresh",
      session: null,
      token: null,
      graced: false,
      hadCookie: cookie !== null,
      base: {},
      own: {},
      version: 0,
      level: 0,
      seenAt: 0,
      absoluteExpiresAt: 0,
      touch: false,
      vague: false,
      minted: null,
      clear: false,
    };
    this.#state.requests.set(id, request);
    if (token === null) return { ending: null, view: viewOf(request) };
    const session = this.opened(token);
    if (session !== null) {
      this.#know(request, session, token);
      request.graced = token.next !== null;
      return { ending: null, view: viewOf(request) };
    }
    const { why, at, sure } = this.endingOfToken(token);
    const isForgotten = !sure && seen.ending === null;
    // A request that was sent before its browser heard of its own login or logout leaves the cookie alone.
    const isStraggler = (why === "rotated" || why === "logout") && this.now - at < TIMES.grace;
    if (isStraggler && !isForgotten) request.phase = "ended";
    else request.clear = true;
    return { ending: isForgotten ? null : why, view: viewOf(request) };
  }

  #deed({ request: id, deed, value }: Act & { act: "deed" }, seen: Seen): Answer {
    const request = this.#state.requests.get(id);
    if (request === undefined) throw new Error("no such request");
    if (deed.do === "commit") {
      this.#flush(request, seen);
      this.#state.requests.delete(id);
      const cookie = request.minted ? this.nameOf(request.minted, seen) : null;
      return { view: viewOf(request), cookie: cookie ?? (request.clear ? "clear" : null) };
    }
    const answer = this.#verb(request, deed, value, seen);
    return {
      ...(typeof answer === "string" ? { error: answer } : { value: answer }),
      view: viewOf(request),
    };
  }

  /** An error's code, or what the verb returned. */
  #verb(request: Request, deed: Deed, value: number, seen: Seen): string | number | boolean | null {
    const isLoggedIn = request.phase === "alive" && request.session?.principal !== null;
    switch (deed.do) {
      case "set":
        request.own = { ...request.own, [deed.key]: value };
        return null;
      case "delete":
        return forget(request, deed.key);
      case "touch":
        request.touch = true;
        return null;
      case "login": {
        const failed = this.#loginIn(request, deed, seen);
        return failed ? "SOJOURN_LIMIT_REACHED" : null;
      }
      case "logout":
        if (request.phase === "alive" && request.session && this.isAlive(request.session))
          this.end(request.session, "logout");
        this.#reset(request);
        request.base = {};
        request.own = {};
        request.minted = null;
        request.clear = request.hadCookie;
        return null;
      case "rotate":
        if (request.phase === "fresh") return null;
        if (request.phase === "ended") return "SOJOURN_SESSION_ENDED";
        return this.#rotate(request);
      case "save":
        if (request.phase === "ended") return "SOJOURN_SESSION_ENDED";
        this.#flush(request, seen);
        return isEnded(request) ? "SOJOURN_SESSION_ENDED" : null;
      case "update":
        if (request.phase === "ended") return "SOJOURN_SESSION_ENDED";
        this.#write(request, (data) => ({ ...data, n: Number(data["n"] ?? 0) + 1 }), seen);
        return isEnded(request) ? "SOJOURN_SESSION_ENDED" : null;
      case "reload":
        return this.#reload(request);
      case "elevate":
      case "reauthenticate":
      case "revokeOthers":
      case "approve":
      case "useApproval":
        if (request.phase === "ended") return "SOJOURN_SESSION_ENDED";
        if (!isLoggedIn || !request.session) return "SOJOURN_NOT_LOGGED_IN";
        return this.#verbOfUser(request, request.session, deed);
      case "commit":
        throw new Error("a commit is no verb");
    }
  }

  #verbOfUser(
    request: Request,
    session: Session,
    deed: UserDeed,
  ): string | number | boolean | null {
    switch (deed.do) {
      case "revokeOthers":
        if (!this.isAlive(session)) return this.#lost(request);
        return this.revokeAll(session.principal ?? "", session.handle);
      case "approve": {
        const until = Math.min(this.now + APPROVED, request.absoluteExpiresAt);
        this.#state.approvals.set(`${session.handle} ${deed.action}`, until);
        return null;
      }
      case "useApproval": {
        if (!this.#isOpen(request)) return this.#lost(request);
        const name = `${session.handle} ${deed.action}`;
        const until = this.#state.approvals.get(name) ?? 0;
        this.#state.approvals.delete(name);
        return this.now < until;
      }
      case "elevate":
      case "reauthenticate":
        return this.#newToken(request, 0, () => {
          session.authenticatedAt = this.now;
          if (deed.do === "elevate") session.level += 1;
          else session.absoluteExpiresAt = this.now + session.absolute;
        });
    }
  }

  /** One new token is enough for requests that ran at the same time. */
  #rotate(request: Request): string | null {
    if (request.graced) return null;
    if (!request.token?.next) return this.#newToken(request, TIMES.grace, () => {});
    const session = this.opened(request.token);
    if (session === null) return this.#lost(request);
    this.#know(request, session, session.token);
    request.graced = true;
    return null;
  }

  /** The session goes on under another token, with what the request changed. */
  #newToken(request: Request, graceMs: number, change: () => void): string | null {
    const session = request.token && this.opened(request.token);
    if (!session?.token) return this.#lost(request);
    const { token: old, expiresAt } = session;
    change();
    session.version += 1;
    session.data = merged(session.data, request.own);
    this.slide(session, true);
    request.minted = this.mint(session);
    const until = this.now + graceMs;
    const knownUntil = Math.max(until, Math.min(this.now + TIMES.grace, expiresAt));
    Object.assign(old, { next: session.token, replacedAt: this.now, until, knownUntil });
    request.own = {};
    this.#know(request, session, session.token);
    request.graced = false;
    request.clear = false;
    return null;
  }

  /** True when the limit refused it. */
  #loginIn(request: Request, deed: Deed & { do: "login" }, seen: Seen): boolean {
    if (request.phase === "ended") {
      // What the ended session held does not reach into its successor.
      if (request.session) Object.assign(request, { base: {}, own: {} });
      this.#reset(request);
    }
    const old = request.token && this.opened(request.token);
    const isOld = request.token !== (old?.token ?? null) || request.version !== (old?.version ?? 0);
    if (request.token && !old) this.#loseBeforeLogin(request, request.token, seen);
    const before = old?.principal ?? null;
    const data = before !== null && before !== deed.who ? {} : (old?.data ?? request.base);
    const session = this.login(deed, old, merged(data, request.own), seen);
    if (session === null) {
      request.vague = isOld;
      return true;
    }
    request.own = {};
    this.#know(request, session, session.token);
    request.graced = false;
    request.minted = session.token;
    request.clear = false;
    return false;
  }

  /** The data of a visitor whom a parallel login made a user was the visitor's own; no other's stays. */
  #loseBeforeLogin(request: Request, token: Token, seen: Seen): void {
    const { why, sure } = this.endingOfToken(token);
    const isForgotten = !sure && Object.keys(seen.view?.data ?? {}).length === 0;
    const isOwnCopy = request.session?.principal === null && why === "rotated" && !isForgotten;
    if (!isOwnCopy) Object.assign(request, { base: {}, own: {} });
    // Of two logins at once the slower may have read the newest before it lost.
    if (isOwnCopy) this.#mayKnow(request, token.session, seen);
    this.#reset(request);
  }

  /** The request may have read the newest data, or not: what is seen decides. */
  #mayKnow(request: Request, { data }: Session, seen: Seen): void {
    if (isDeepStrictEqual(seen.view?.data, merged(data, request.own))) request.base = { ...data };
  }

  /** Writes what the request changed; touches if it is time. */
  #flush(request: Request, seen: Seen): void {
    const isChanged = Object.keys(request.own).length > 0;
    if (request.phase === "ended") return this.#drop(request);
    if (isChanged) return this.#write(request, (data) => data, seen);
    if (request.phase === "fresh" || !request.session) return;
    const every = Math.min(request.session.idle / 10, 60_000);
    if (this.now - request.seenAt < every && !request.touch) return;
    const session = request.token && this.opened(request.token);
    if (session === null) request.phase = "ended";
    else this.slide(session);
    request.seenAt = this.now;
    request.touch = false;
  }

  #write(request: Request, edit: (data: Data) => Data, seen: Seen): void {
    if (request.phase === "fresh") {
      const data = edit(merged(request.base, request.own));
      const session = this.make({ principal: null, data, times: TIMES }, seen);
      request.minted = session.token;
      request.clear = false;
      request.own = {};
      return this.#know(request, session, session.token);
    }
    const session = request.token && this.opened(request.token);
    if (session === null) return void this.#lost(request);
    session.data = edit(merged(session.data, request.own));
    session.version += 1;
    this.slide(session);
    request.own = {};
    request.touch = false;
    this.#know(request, session, request.token);
  }

  /** Whether the token that a request came with still opens its session. */
  #isOpen({ token }: Request): boolean {
    return token !== null && this.opened(token) !== null;
  }

  #reload(request: Request): string | null {
    if (request.phase === "ended") return "SOJOURN_SESSION_ENDED";
    if (request.phase === "fresh") {
      Object.assign(request, { base: {}, own: {} });
      return null;
    }
    const session = request.token && this.opened(request.token);
    if (session === null) return this.#lost(request);
    request.own = {};
    this.#know(request, session, request.token);
    return null;
  }

  #know(request: Request, session: Session, token: Token | null): void {
    request.phase = "alive";
    request.session = session;
    request.token = token;
    request.base = { ...session.data };
    for (const key of Object.keys(request.own))
      if (request.own[key] === null && !(key in request.base)) delete request.own[key];
    request.version = session.version;
    request.level = session.level;
    request.seenAt = session.seenAt;
    request.absoluteExpiresAt = session.absoluteExpiresAt;
  }

  #lost(request: Request): string {
    request.phase = "ended";
    this.#drop(request);
    return "SOJOURN_SESSION_ENDED";
  }

  #drop(request: Request): void {
    request.base = merged(request.base, request.own);
    request.own = {};
  }

  #reset(request: Request): void {
    Object.assign(request, {
      phase: "fresh",
      session: null,
      token: null,
      graced: false,
      touch: false,
      version: 0,
      level: 0,
    });
  }
}

function isEnded({ phase }: Request): boolean {
  return phase === "ended";
}

function merged(data: Data, own: Data): Data {
  const both = Object.entries({ ...data, ...own });
  return Object.fromEntries(both.filter(([, value]) => value !== null));
}

function forget(request: Request, key: string): boolean {
  const isThere = key in viewOf(request).data;
  if (key in request.base) request.own = { ...request.own, [key]: null };
  else delete request.own[key];
  return isThere;
}

function viewOf({ session, level, base, own }: Request): View {
  return {
    handle: session?.handle ?? null,
    principal: session?.principal ?? null,
    level,
    data: merged(base, own),
  };
}
