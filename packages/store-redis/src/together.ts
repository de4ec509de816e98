/**
 * What is asked of one script in one turn of the event loop is one command: for each alone, that would be most of the work.
 * Operations of one turn are in no order.
 */
import { assertText } from "@sojourn/core/store";
import type { RecordKey } from "@sojourn/core/store";
import { list } from "./answers.ts";
import { corrupt } from "./errors.ts";
import type { Script } from "./lua/script.ts";
import type { Scripts } from "./scripts.ts";
import type { UnderWay } from "./under-way.ts";

/** One of them: what the script is told of it, the key first. */
interface Asked<T> {
  readonly args: readonly [RecordKey, ...(string | number)[]];
  readonly operation: UnderWay<unknown, T>;
}

/** Characters of an argument that others do not wait with: a command is made of one text. */
const LONG = 65_536;

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
  add(kind: string, asked: Asked<T>): void {
    assertText("key", asked.args[0]);
    if (kind !== this.#kind) this.#send();
    this.#kind = kind;
    this.#asked.push(asked);
    if (this.#scripts.sharded || asked.args.some(isLong)) this.#send();
  }

  #send(): void {
    const { connection } = this.#scripts;
    const asked = this.#asked.filter(({ operation }) => !operation.isOver);
    this.#asked = [];
    const [first] = asked;
    if (first === undefined) return;
    if (connection.isOpen) void this.#ask(first.args[0], asked);
    else for (const { operation } of asked) operation.fail(connection.lost(operation.name));
  }

  async #ask(key: RecordKey, asked: readonly Asked<T>[]): Promise<void> {
    try {
      const args = asked.flatMap((each) => each.args);
      const answers = list(await this.#scripts.of(this.#script, this.#kind, key, args));
      if (answers.length !== asked.length) throw corrupt("more answers or fewer than were asked");
      for (const [place, { operation }] of asked.entries()) operation.answer(answers[place]);
    } catch (error) {
      for (const { operation } of asked) operation.fail(error);
    }
  }
}

function isLong(arg: string | number): boolean {
  return typeof arg === "string" && arg.length > LONG;
}
