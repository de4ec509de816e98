/**
 * The near cache: records that were read a moment ago, kept in this process for as long as the servers tell of
 * every change, and it is known that they do.
 *
 * It is known by asking: a key is written on the way that all writes go, and heard of on the way that all changes are
 * told. What is kept is served only while the last such round began less than `staleness` ago; so that bounds what a
 * lost channel, a failover, a server or a process that hangs can hide. Where all is well, a change is heard of at once.
 */
import { randomBytes } from "node:crypto";
import { isTombstone } from "@sojourn/core/store";
import type { Clock, Found } from "@sojourn/core/store";
import { EVERY, type KeyRef } from "../names.ts";
import type { NearSettings, RedisClient } from "../options.ts";
import { Channel } from "./channel.ts";
import { Entries } from "./entries.ts";
import { type Master, mastersOf } from "./masters.ts";

/** Rounds within the time that may pass without one. */
const ROUNDS = 4;
/** Behind the tag of a key that is only written to be heard of; no kind has a colon there. */
const PROBE = "::near.";
/** For how long such a key lives at most, in ms. */
const PROBE_LIFE = 10_000;

/** A digest of which changes are heard: its first 132 bits are characters of a byte each, and no slash. */
const DIGEST = /^[\w-]{22}/;

/** What follows the slash in the name of the generation of a kind, and of an owner. */
const GENERATIONS: ReadonlySet<string> = new Set(["e", "g"]);

/** What it works with. */
export interface NearParts {
  readonly client: RedisClient;
  readonly clock: Clock;
  readonly prefix: string;
  readonly settings: NearSettings;
}

/** Keys that were written to be heard of. */
interface Round {
  readonly sentAt: number;
  readonly awaited: Set<string>;
}

/** See the top of the file. */
export class NearCache {
  readonly #parts: NearParts;
  readonly #client: RedisClient;
  readonly #entries: Entries;
  readonly #channels = new Map<string, Channel>();
  /** What every key of the store begins with, up to its tag. */
  readonly #head: string;
  readonly #name = randomBytes(9).toString("base64url");
  #round: Round = { sentAt: -Infinity, awaited: new Set() };
  #rounds = 0;
  /** When the last round began that was heard of from every server; by `performance.now()`. */
  #confirmedAt = -Infinity;
  #isAsked = false;
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(parts: NearParts) {
    this.#parts = parts;
    this.#client = parts.client;
    this.#entries = new Entries(parts.settings.entries);
    this.#head = `${this.#client.options?.keyPrefix ?? ""}${parts.prefix}:{`;
  }

  /** What is at a key: from here where that is sure, else by `load`. */
  read(ref: KeyRef, load: () => Promise<Found>): Found | Promise<Found> {
    this.#wake();
    const known = this.#isSure ? this.#entries.get(ref) : undefined;
    if (known && this.#parts.clock.now() < known.expiresAt) return known;
    return this.#load(ref, load);
  }

  async #load(ref: KeyRef, load: () => Promise<Found>): Promise<Found> {
    const reading = this.#entries.begin(ref);
    try {
      const found = await load();
      // A key in its grace time leads to a record that has another one. Of a key of somebody's invention, changes may not be heard.
      const isOwn = found?.key === ref.key && DIGEST.test(ref.key.slice(4));
      const isKept = isOwn && !isTombstone(found);
      if (isKept && this.#isSure) reading.keep(Object.freeze(found));
      return found;
    } finally {
      reading.done();
    }
  }

  /** A write of this process to some tags: what it changes is read again, also by those who asked meanwhile. */
  async changing<T>(tags: readonly string[], write: () => Promise<T>): Promise<T> {
    this.#forget(tags);
    try {
      return await write();
    } finally {
      this.#forget(tags);
    }
  }

  /** A write to every tag is about to be sent, or was. */
  forgetAll(): void {
    this.#entries.clear();
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer) clearInterval(this.#timer);
    for (const channel of this.#channels.values()) channel.close();
    this.#doubt();
  }

  #forget(tags: readonly string[]): void {
    for (const tag of tags) this.#entries.dropTag(tag);
  }

  get #isSure(): boolean {
    return performance.now() - this.#confirmedAt <= this.#parts.settings.staleness;
  }

  /** Rounds are made while anybody reads. */
  #wake(): void {
    this.#isAsked = true;
    if (this.#timer || this.#isClosed) return;
    const every = this.#parts.settings.staleness / ROUNDS;
    this.#timer = setInterval(() => this.#beat(), every).unref();
    this.#beat();
  }

  #beat(): void {
    if (!this.#isAsked) {
      if (this.#timer) clearInterval(this.#timer);
      this.#timer = null;
      return;
    }
    this.#isAsked = false;
    if (this.#client.status !== "ready") return;
    const masters = mastersOf(this.#client);
    for (const [address, channel] of this.#channels) if (!masters.has(address)) channel.close();
    for (const [address, { client }] of masters) this.#listen(address, client);
    this.#ask(masters);
  }

  #listen(address: string, client: RedisClient): void {
    if (this.#channels.has(address)) return;
    const channel = new Channel(client, {
      changed: (keys) => this.#changed(keys),
      lost: () => {
        if (this.#channels.get(address) === channel) this.#channels.delete(address);
        this.#doubt();
      },
    });
    this.#channels.set(address, channel);
    void this.#open(channel);
  }

  async #open(channel: Channel): Promise<void> {
    try {
      await channel.open(this.#head);
    } catch {
      return; // the next round opens another one
    }
    this.#doubt();
    this.#ask(mastersOf(this.#client));
  }

  /** What changed until now may not have been told. */
  #doubt(): void {
    this.#confirmedAt = -Infinity;
    this.#round = { sentAt: -Infinity, awaited: new Set() };
    this.#entries.clear();
  }

  /** Writes one key to each server; once all were heard of, so was all that came before. */
  #ask(masters: ReadonlyMap<string, Master>): void {
    const tags = [...masters.values()].map(({ tag }) => tag);
    this.#rounds += 1;
    const name = `${PROBE}${this.#name}.${this.#rounds}`;
    this.#round = { sentAt: performance.now(), awaited: new Set(tags.map((tag) => tag + name)) };
    for (const tag of tags) {
      const key = `${this.#parts.prefix}:{${tag}}${name}`;
      this.#client.set(key, "1", "PX", PROBE_LIFE, "NX").catch(() => {});
    }
  }

  #changed(keys: readonly string[] | null): void {
    if (keys === null) return this.#doubt();
    for (const key of keys) this.#changedKey(key);
  }

  #changedKey(key: string): void {
    const end = key.indexOf("}", this.#head.length);
    if (!key.startsWith(this.#head) || end === -1) return;
    const tag = key.slice(this.#head.length, end);
    const id = key.slice(end + 1);
    if (id.startsWith(PROBE)) return this.#heard(tag + id);
    const slash = id.indexOf("/");
    if (slash === -1) this.#entries.drop({ tag, id });
    else if (GENERATIONS.has(id[slash + 1] ?? "")) this.#ended(tag);
  }

  /** A whole kind or all of an owner ended. */
  #ended(tag: string): void {
    if (tag === EVERY) this.#entries.clear();
    else this.#entries.dropTag(tag);
  }

  #heard(probe: string): void {
    const { awaited, sentAt } = this.#round;
    if (awaited.delete(probe) && awaited.size === 0) this.#confirmedAt = sentAt;
  }
}
