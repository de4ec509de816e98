/** The half of the model that is about sessions and their tokens: which live, which opens what, how they end. */
import { SHORT, TIMES } from "./acts.ts";
import type { Data, Seen, Stored } from "./acts.ts";
import type { Limit } from "./steps.ts";

/** A token that was made for a session. While `next` is null it is the session's own. */
export interface Token {
  readonly session: Session;
  /** The cookie that carries it, once a browser has got it. */
  cookie: string | null;
  /** The token that took its place; until `until` the old one still leads to it. */
  next: Token | null;
  replacedAt: number;
  until: number;
  /** Until then the store must know that it was replaced. */
  knownUntil: number;
}

/** What is known of a session. */
export interface Session {
  readonly handle: string;
  readonly principal: string | null;
  readonly createdAt: number;
  readonly idle: number;
  readonly absolute: number;
  /** Grows with each write. */
  version: number;
  level: number;
  authenticatedAt: number | null;
  seenAt: number;
  expiresAt: number;
  absoluteExpiresAt: number;
  data: Data;
  token: Token | null;
  ended: { readonly why: string; readonly at: number } | null;
}

/** All sessions and tokens that ever were. */
export interface Book {
  now: number;
  readonly sessions: Map<string, Session>;
  readonly tokens: Token[];
}

/** How something ended; `sure` while a store must still know. */
export interface Known {
  readonly why: string;
  readonly at: number;
  readonly sure: boolean;
}

/** See the top of the file. */
export class SessionModel {
  protected readonly book: Book;

  constructor(book: Book) {
    this.book = book;
  }

  get now(): number {
    return this.book.now;
  }

  wait(ms: number): void {
    this.book.now += ms;
  }

  /** Handles of all sessions that ever were, the newest first. */
  handles(): string[] {
    return [...this.book.sessions.keys()].toReversed();
  }

  principalOf(handle: string): string | null {
    return this.book.sessions.get(handle)?.principal ?? null;
  }

  /** Cookies of all tokens that a browser ever got, the newest first. */
  cookies(): string[] {
    return this.book.tokens.flatMap(({ cookie }) => cookie ?? []).toReversed();
  }

  /** Instants to come at which a session or a token will be no more. */
  deadlines(): number[] {
    const instants = [
      ...this.alive().map(({ expiresAt }) => expiresAt),
      ...this.book.tokens.filter(({ next }) => next).map(({ until }) => until),
    ];
    return instants.filter((instant) => instant > this.now).toSorted((a, b) => a - b);
  }

  /** All that is alive, by handle. */
  stored(): Stored[] {
    return this.alive()
      .map((session) => ({
        handle: session.handle,
        principal: session.principal,
        level: session.level,
        data: session.data,
        createdAt: session.createdAt,
        authenticatedAt: session.authenticatedAt,
        seenAt: session.seenAt,
        expiresAt: session.expiresAt,
        absoluteExpiresAt: session.absoluteExpiresAt,
      }))
      .toSorted((a, b) => (a.handle < b.handle ? -1 : 1));
  }

  /** The session that a cookie opens, or null. */
  openedBy(cookie: string): string | null {
    const token = this.tokenOf(cookie);
    return (token && this.opened(token)?.handle) ?? null;
  }

  /** Why a session is no more; `sure` while the store must still know. Null: it lives. */
  endingOf(handle: string): { readonly why: string; readonly sure: boolean } | null {
    const session = this.book.sessions.get(handle);
    return session && !this.isAlive(session) ? this.endOf(session) : null;
  }

  /** A new session in place of the old one, if the limit lets it in. */
  protected login(
    { who, limit, short = false }: { who: string; limit: Limit | null; short?: boolean },
    old: Session | null,
    data: Data,
    seen: Seen,
  ): Session | null {
    const others = this.alive().filter((each) => each.principal === who && each !== old);
    const excess = limit === null ? 0 : others.length + 1 - limit.max;
    if (excess > 0 && limit?.onLimit === "reject") return null;
    const instant = limit?.onLimit === "evict-idle" ? "seenAt" : "createdAt";
    const stays = (session: Session): number => Number(seen.left?.includes(session.handle));
    others.sort((a, b) => a[instant] - b[instant] || stays(a) - stays(b));
    for (const other of others.slice(0, Math.max(0, excess))) this.end(other, "evicted");
    if (old) this.end(old, "rotated");
    return this.make({ principal: who, data, times: short ? SHORT : TIMES }, seen);
  }

  protected make(
    {
      principal,
      data,
      times,
    }: { principal: string | null; data: Data; times: typeof TIMES | typeof SHORT },
    seen: Seen,
  ): Session {
    const session: Session = {
      handle: seen.view?.handle ?? "no handle was seen",
      principal,
      createdAt: this.now,
      idle: times.idle,
      absolute: times.absolute,
      version: 1,
      level: principal === null ? 0 : 1,
      authenticatedAt: principal === null ? null : this.now,
      seenAt: this.now,
      expiresAt: this.now + times.idle,
      absoluteExpiresAt: this.now + times.absolute,
      data,
      token: null,
      ended: null,
    };
    if (this.book.sessions.has(session.handle)) throw new Error("a handle was given twice");
    this.book.sessions.set(session.handle, session);
    this.mint(session);
    return session;
  }

  protected mint(session: Session): Token {
    session.token = { session, cookie: null, next: null, replacedAt: 0, until: 0, knownUntil: 0 };
    this.book.tokens.push(session.token);
    return session.token;
  }

  /** Every use counts; no deadline passes the absolute one, and none moves back. */
  protected slide(session: Session, isNewToken = false): void {
    const deadline = Math.min(this.now + session.idle, session.absoluteExpiresAt);
    session.seenAt = this.now;
    session.expiresAt = isNewToken ? deadline : Math.max(session.expiresAt, deadline);
  }

  protected end(session: Session, why: string): void {
    session.ended = { why, at: this.now };
  }

  protected revokeAll(who: string, except: string | null): number {
    const all = this.alive().filter((each) => each.principal === who && each.handle !== except);
    for (const session of all) this.end(session, "revoked");
    return all.length;
  }

  protected alive(): Session[] {
    return [...this.book.sessions.values()].filter((session) => this.isAlive(session));
  }

  protected isAlive({ ended, expiresAt }: Session): boolean {
    return ended === null && this.now < expiresAt;
  }

  protected tokenOf(cookie: string | null): Token | null {
    if (cookie === null) return null;
    return this.book.tokens.find((token) => token.cookie === cookie) ?? null;
  }

  protected opened({ session, next, until }: Token): Session | null {
    if (next) return this.now < until ? this.opened(next) : null;
    return this.isAlive(session) ? session : null;
  }

  protected endingOfToken({ session, next, until, replacedAt, knownUntil }: Token): Known {
    if (next === null) return this.endOf(session);
    if (this.now < until) return this.endingOfToken(next);
    return { why: "rotated", at: replacedAt, sure: this.now < knownUntil };
  }

  /**
   * What ended a session is known until its absolute timeout, that it was replaced at least for the grace time;
   * that it expired may be forgotten at once.
   */
  protected endOf({ ended, expiresAt, absoluteExpiresAt }: Session): Known {
    if (ended === null) {
      const why = expiresAt >= absoluteExpiresAt ? "absolute" : "idle";
      return { why, at: expiresAt, sure: false };
    }
    const knownUntil =
      ended.why === "rotated" ? Math.min(ended.at + TIMES.grace, expiresAt) : absoluteExpiresAt;
    return { ...ended, sure: this.now < knownUntil };
  }

  /** The cookie of a token; the first time it is seen, any that no other token has. */
  protected nameOf(token: Token | null, { cookie }: Seen): string {
    if (!token) return "no token";
    const isNew =
      typeof cookie === "string" && cookie !== "clear" && !this.cookies().includes(cookie);
    if (token.cookie === null && isNew) token.cookie = cookie;
    return token.cookie ?? "a new token";
  }
}
