/** Sends scripts to where an id or a reference is kept, or to every tag. */
import type { Clock, Handle, OwnerKey, RecordKey, Ref } from "@sojourn/core/store";
import type { Connection } from "./connection.ts";
import { READ_HANDLE } from "./lua/reading.ts";
import { type Constants, type Script, storeScript, type StoreScript } from "./lua/script.ts";
import { base, EVERY, everyTag, slotTag } from "./names.ts";
import type { ParsedOptions } from "./options.ts";

/** Scripts on their way at once, when every tag is told of an end. */
const AT_ONCE = 128;
const ELSEWHERE = /^SOJOURNELSEWHERE ([A-Za-z0-9_-]{3})/;

/** The scripts of one store. */
export class Scripts {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly prefix: string;
  /** True in a cluster: what one script writes must have one tag. */
  readonly sharded: boolean;
  readonly #constants: Constants;
  readonly #own = new Map<Script, StoreScript>();

  constructor(connection: Connection, { clock, prefix, rememberExpired }: ParsedOptions) {
    this.connection = connection;
    this.clock = clock;
    this.prefix = prefix;
    this.sharded = connection.client.isCluster === true;
    this.#constants = { remember: rememberExpired, everywhere: this.sharded ? null : EVERY };
  }

  /** Runs a script at a tag. */
  run(script: Script, kind: string, tag: string, args: Readonly<Arguments>): Promise<unknown> {
    const key = base(this.prefix, tag, kind);
    return this.connection.run(this.#ownOf(script), key, this.clock.now(), args);
  }

  /** Runs a script where an id is kept. */
  of(
    script: Script,
    kind: string,
    id: RecordKey | Handle | OwnerKey,
    args: Readonly<Arguments>,
  ): Promise<unknown> {
    return this.run(script, kind, slotTag(id), args);
  }

  /** Runs a script on a handle, which may lead to a record of another tag. */
  async followed(
    script: Script,
    kind: string,
    handle: Handle,
    args: Readonly<Arguments>,
  ): Promise<unknown> {
    try {
      return await this.of(script, kind, handle, args);
    } catch (error) {
      const tag = error instanceof Error ? ELSEWHERE.exec(error.message)?.[1] : undefined;
      if (tag === undefined) throw error;
      return this.run(script, kind, tag, args);
    }
  }

  /** What is at a handle. */
  readHandle(kind: string, handle: Handle): Promise<unknown> {
    return this.followed(READ_HANDLE, kind, handle, [handle]);
  }

  /** Runs a script on a reference. */
  at(script: Script, ref: Ref, args: Readonly<Arguments>): Promise<unknown> {
    if ("key" in ref) return this.of(script, ref.kind, ref.key, ["k", ref.key, ...args]);
    return this.followed(script, ref.kind, ref.handle, ["h", ref.handle, ...args]);
  }

  /** Runs a script where the generation of a kind is kept: in a cluster, at every tag. */
  async everywhere(script: Script, kind: string, args: Readonly<Arguments>): Promise<void> {
    const tags = this.sharded ? everyTag() : [EVERY];
    for (let from = 0; from < tags.length; from += AT_ONCE) {
      const some = tags.slice(from, from + AT_ONCE);
      await Promise.all(some.map((tag) => this.run(script, kind, tag, args)));
    }
  }

  #ownOf(script: Script): StoreScript {
    let own = this.#own.get(script);
    if (own === undefined) this.#own.set(script, (own = storeScript(script, this.#constants)));
    return own;
  }
}

/** Of a script, behind the present instant. */
export type Arguments = (string | number)[];
