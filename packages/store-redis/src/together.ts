/**
 * What is asked of one script in one turn of the event loop is one command: for each alone, that would be most of the work.
 * Operations of one turn are in no order.
 */
import { assertText } from "@sojourn/core/store";
import type { RecordKey } from "@sojourn/core/store";
import { list } from "./answers.ts";
import { corrupt } from "./errors.ts";
import type { Script } from "./lua/script.ts";
import type { KeyRef } from "./names.ts";
import type { Arguments, Scripts } from "./scripts.ts";
import { UnderWay } from "./under-way.ts";

/** One of them. */
export abstract class Asked<T> extends UnderWay<T> {
  readonly ref: KeyRef;
  readonly #together: Together<T>;

  constructor(together: Together<T>, ref: KeyRef) {
    super();
    this.#together = together;
    this.ref = ref;
  }

  begin(): void {
    this.#together.add(this);
  }

  /** Whether it is so long that others do not wait with it: a command is made of one text. */
  abstract readonly isLong: boolean;

  /** Adds what the script is told of it, the key first. */
  abstract tell(args: Arguments): void;
}

/** Puts together what a script is asked that has a list of answers, one for each key. */
export class Together<T> {
  readonly #scripts: Scripts;
  readonly #script: Script;
  #kind = "";
  #asked: Asked<T>[] = [];

  constructor(scripts: Scripts, script: Script) {
    this.#scripts = scripts;
    this.#script = script;
    scripts.connection.batch.beforeLeaving(() => this.#send());
  }

  /**
   * Asks when its batch leaves; at once what is long, and in a cluster, where a script has the keys of one slot.
   * @throws SOJOURN_DATA_INVALID for a key that is no text, which would fail the others
   */
  add(asked: Asked<T>): void {
    const { kind, key } = asked.ref;
    assertText("key", key);
    if (kind !== this.#kind) this.#send();
    this.#kind = kind;
    this.#asked.push(asked);
    if (this.#scripts.sharded || asked.isLong) this.#send();
  }

  #send(): void {
    const { connection } = this.#scripts;
    const asked = this.#asked.filter((each) => !each.isOver);
    this.#asked = [];
    const [first] = asked;
    if (first === undefined) return;
    if (connection.isOpen) void this.#ask(first.ref.key, asked);
    else for (const each of asked) each.fail(connection.lost(each.name));
  }

  async #ask(key: RecordKey, asked: readonly Asked<T>[]): Promise<void> {
    try {
      const args: Arguments = [];
      for (const each of asked) each.tell(args);
      const answers = list(await this.#scripts.of(this.#script, this.#kind, key, args));
      if (answers.length !== asked.length) throw corrupt("more answers or fewer than were asked");
      for (const [place, each] of asked.entries()) each.answer(answers[place]);
    } catch (error) {
      for (const each of asked) each.fail(error);
    }
  }
}
