/** Sends scripts to the slot of an id, of a reference, or of every shelf. */
import type { Clock, Handle, OwnerKey, RecordKey, Ref } from "@sojourn/core/store";
import type { Connection } from "./connection.ts";
import type { Script } from "./lua/script.ts";
import { base, everyTag, SHARED, slotTag, target } from "./names.ts";
import type { ParsedOptions } from "./options.ts";

/** Scripts on their way at once, when every shelf is asked. */
const AT_ONCE = 512;
const ELSEWHERE = /^SOJOURNELSEWHERE ([A-Za-z0-9_-]{3})/;

/** The scripts of one store. A standalone server has one shelf, a cluster one for each tag. */
export class Scripts {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly prefix: string;
  readonly sharded: boolean;
  /** Labels of the shelves, in the order of their bytes. */
  readonly shelves: readonly string[];
  readonly #remember: string;

  constructor(connection: Connection, { clock, prefix, rememberExpired }: ParsedOptions) {
    this.connection = connection;
    this.clock = clock;
    this.prefix = prefix;
    this.sharded = connection.client.isCluster === true;
    this.shelves = this.sharded ? everyTag() : [SHARED];
    this.#remember = String(rememberExpired);
  }

  /** Runs a script under a label: a tag, or that of a shelf. */
  run(script: Script, kind: string, label: string, args: Arguments): Promise<unknown> {
    const layout = this.sharded ? "sharded" : "shared";
    const common = [String(this.clock.now()), layout, this.#remember];
    const key = base(this.prefix, label, kind);
    return this.connection.run(script, key, [...common, ...args.map(String)]);
  }

  /** Runs a script where an id is kept. */
  of(
    script: Script,
    kind: string,
    id: RecordKey | Handle | OwnerKey,
    args: Arguments,
  ): Promise<unknown> {
    return this.run(script, kind, slotTag(id), args);
  }

  /** Runs a script on a reference; a handle may lead to a record of another tag. */
  async at(script: Script, ref: Ref, args: Arguments): Promise<unknown> {
    const [what, id] = target(ref);
    const full = [what, id, ...args];
    try {
      return await this.of(script, ref.kind, id, full);
    } catch (error) {
      const tag = error instanceof Error ? ELSEWHERE.exec(error.message)?.[1] : undefined;
      if (tag === undefined) throw error;
      return this.run(script, ref.kind, tag, full);
    }
  }

  /** Runs a script on every shelf from one on; the answers in the order of the shelves. */
  async everyShelf(script: Script, kind: string, args: Arguments): Promise<unknown[]> {
    const answers: unknown[] = [];
    for (let from = 0; from < this.shelves.length; from += AT_ONCE) {
      const some = this.shelves.slice(from, from + AT_ONCE);
      answers.push(
        ...(await Promise.all(some.map((label) => this.run(script, kind, label, args)))),
      );
    }
    return answers;
  }
}

type Arguments = readonly (string | number)[];
