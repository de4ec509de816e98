/** Holds an answer back until the session is committed, then lets it go as meant, or drops it. */
import type { ResponsePlan } from "@sojourn/core";
import { applyPlan, removeEntityHeaders, setGivenHeaders } from "./header-merge.ts";
import { hasStatusMessage, SENDERS } from "./holdable.ts";
import type { HoldableResponse, Sender } from "./holdable.ts";
import { checkChunk, checkStatus, headersSentError } from "./node-errors.ts";
import { seal, sealEnd, unseal } from "./seal.ts";
import { SocketGuard } from "./socket-guard.ts";

/** What the holder of an answer must know. */
export interface Hold {
  /** Called once, when the answer begins to leave; it leaves when there is a plan. Never throws. */
  readonly commit: () => ResponsePlan | Promise<ResponsePlan>;
  /** The answer was dropped: give an error answer instead. Called at most once. */
  readonly dropped: (error: unknown) => void;
}

interface Call {
  readonly sender: Sender;
  readonly args: unknown[];
}
type Senders = Partial<Record<Sender, (...args: unknown[]) => unknown>>;
interface Status {
  readonly code: number | undefined;
  readonly message: string | undefined;
}
/**
 * `open`: nothing sent yet; `announcing`: wrappers are told that the head leaves; `held`: the commit
 * runs; then `released`, or `dropped`.
 */
type State = "open" | "announcing" | "held" | "released" | "dropped";

/**
 * Holds the answer back: the first `writeHead`, `write`, `end` or `flushHeaders` starts the commit;
 * it and all that follow are queued until the commit is done. Meanwhile the answer looks sent.
 * Whatever `response` lacks is not missed.
 */
export function holdResponse(response: HoldableResponse, hold: Hold): void {
  new HeldResponse(response, hold).begin();
}

class HeldResponse {
  readonly #response: HoldableResponse;
  readonly #hold: Hold;
  /** Our senders, and those that they lie on. */
  readonly #ours: Senders = {};
  readonly #below: Senders = {};
  #state: State = "open";
  #queue: Call[] = [];
  #status: Status = { code: undefined, message: undefined };
  #guard: SocketGuard | undefined;

  constructor(response: HoldableResponse, hold: Hold) {
    this.#response = response;
    this.#hold = hold;
  }

  begin(): void {
    for (const sender of SENDERS) {
      const below = this.#response[sender];
      if (!below) continue;
      this.#below[sender] = below;
      const ours = (...args: unknown[]): unknown => this.#send({ sender, args });
      this.#ours[sender] = ours;
      this.#response[sender] = ours;
    }
  }

  #send(call: Call): unknown {
    if (this.#state !== "released") checkCall(call);
    switch (this.#state) {
      case "open":
        return this.#first(call);
      case "announcing":
        if (call.sender !== "writeHead") return this.#enqueue(call);
        this.#takeHead(call.args);
        return this.#response;
      case "held":
        if (call.sender === "writeHead") throw headersSentError(this.#response, "writeHead");
        return this.#isEnded() ? this.#ignore(call) : this.#enqueue(call);
      case "released":
        return this.#pass(call);
      case "dropped":
        return this.#ignore(call);
    }
  }

  #pass({ sender, args }: Call): unknown {
    return this.#below[sender]?.apply(this.#response, args);
  }

  #ignore(call: Call): unknown {
    failCallback(call, new Error("write after end"));
    return call.sender === "write" ? false : this.#response;
  }

  #isEnded(): boolean {
    return this.#queue.some(({ sender }) => sender === "end");
  }

  #first(call: Call): unknown {
    const { sender, args } = call;
    const isHead = sender === "writeHead";
    if (isHead) this.#takeHead(args);
    else this.#announceHead();
    const statusArgs = args.slice(0, typeof args[1] === "string" ? 2 : 1);
    const result = this.#enqueue(isHead ? { sender, args: statusArgs } : call);
    this.#state = "held";
    const planned = this.#hold.commit();
    if (!(planned instanceof Promise)) return this.#releaseAtOnce(planned, result);
    this.#close();
    void this.#settle(planned);
    return result;
  }

  /**
   * Node calls `writeHead` itself on the first `write` or `end`; wrappers that lie on ours wait for
   * that. Here it is early enough for what they change: headers, status, session.
   */
  #announceHead(): void {
    const response = this.#response;
    if (response.writeHead === this.#ours.writeHead) return this.#checkStatus();
    this.#state = "announcing";
    try {
      response.writeHead?.(response.statusCode);
    } finally {
      this.#state = "open";
    }
  }

  #checkStatus(): void {
    if (this.#response.statusCode !== undefined) checkStatus(this.#response.statusCode);
  }

  /** Sets what was given to `writeHead` on the response, so that it can be added to. */
  #takeHead([code, message, headers]: unknown[]): void {
    const response = this.#response;
    const hasMessage = typeof message === "string";
    if (response.statusCode !== undefined) {
      checkStatus(code);
      response.statusCode = Number(code);
    }
    if (hasMessage && hasStatusMessage(response)) response.statusMessage = message;
    setGivenHeaders(response, hasMessage ? headers : (headers ?? message));
  }

  #enqueue(call: Call): unknown {
    this.#queue.push(call);
    if (call.sender === "end" && this.#state === "held") sealEnd(this.#response);
    if (call.sender === "flushHeaders") return undefined;
    return call.sender === "write" ? false : this.#response;
  }

  /** Makes the answer look sent, with the status that it has now. */
  #close(): void {
    const response = this.#response;
    const isHttp1 = hasStatusMessage(response);
    const message = isHttp1 ? response.statusMessage : undefined;
    this.#status = { code: response.statusCode, message };
    seal(response);
    if (this.#isEnded()) sealEnd(response);
    // Only a commit that takes its time needs it: Express cuts in a later turn of the event loop.
    if (isHttp1 && response.socket) process.nextTick(() => this.#guardSocket());
  }

  #guardSocket(): void {
    const { socket } = this.#response;
    if (this.#state === "held" && socket) this.#guard = new SocketGuard(socket);
  }

  async #settle(planned: Promise<ResponsePlan>): Promise<void> {
    try {
      this.#release(await planned);
    } catch (error) {
      this.#drop(error);
    }
  }

  /** Where nothing had to be written, nobody has seen that the answer was held. */
  #releaseAtOnce(plan: ResponsePlan, held: unknown): unknown {
    this.#open("ours", "released");
    try {
      applyPlan(this.#response, plan);
    } catch (error) {
      this.#drop(error);
      return held;
    }
    let result = held;
    for (const call of this.#queue.splice(0)) result = this.#pass(call);
    return result;
  }

  #release(plan: ResponsePlan): void {
    this.#open("ours", "released");
    applyPlan(this.#response, plan);
    this.#setStatus(this.#status);
    const results = this.#queue.splice(0).map((call) => [call.sender, this.#pass(call)] as const);
    this.#guard?.cutIfAsked();
    // The last write was told to wait; where the response waits for nothing, nobody else calls.
    const isWritable = results.findLast(([sender]) => sender === "write")?.[1];
    if (isWritable) process.nextTick(() => this.#response.emit?.("drain"));
  }

  /**
   * Until somebody answers the error the status is the error's: whatever is sent by mistake, it is
   * no success.
   */
  #drop(error: unknown): void {
    const response = this.#response;
    // What covers us (compression, say) belongs to the dropped answer and would spoil the next one.
    this.#open("and what covers it", "dropped");
    if (!response.headersSent) {
      removeEntityHeaders(response);
      if (response.statusCode !== undefined)
        this.#setStatus({ code: statusOf(error), message: undefined });
    }
    this.#muteAfterEnd();
    // Not before the error answer is out: a handler that waits for its write would go on into it.
    const dropped = this.#queue.splice(0);
    response.once?.("close", () => {
      for (const call of dropped) failCallback(call, error);
    });
    this.#hold.dropped(error);
  }

  #open(takeOff: "ours" | "and what covers it", state: State): void {
    const response = this.#response;
    unseal(response);
    for (const sender of SENDERS) {
      const isCovered = response[sender] !== this.#ours[sender];
      const below = this.#below[sender];
      if (below && (!isCovered || takeOff === "and what covers it")) response[sender] = below;
    }
    this.#guard?.lift();
    this.#state = state;
  }

  #setStatus({ code, message }: Status): void {
    if (code === undefined) return;
    this.#response.statusCode = code;
    if (hasStatusMessage(this.#response)) Object.assign(this.#response, { statusMessage: message });
  }

  /** A handler that goes on writing behind the error answer must not crash the process. */
  #muteAfterEnd(): void {
    for (const sender of ["write", "end"] as const) {
      if (!this.#below[sender]) continue;
      this.#response[sender] = (...args: unknown[]) => {
        const call = { sender, args };
        return this.#response.writableEnded ? this.#ignore(call) : this.#pass(call);
      };
    }
  }
}

/** @throws for what Node would not send: whoever called is still there to be told. */
function checkCall({ sender, args: [chunk] }: Call): void {
  const isNone = sender === "end" && (chunk === undefined || chunk === null);
  const hasChunk =
    sender === "write" || (sender === "end" && !isNone && typeof chunk !== "function");
  if (hasChunk) checkChunk(chunk);
}

function statusOf(error: unknown): number {
  const status: unknown = typeof error === "object" && error && Reflect.get(error, "statusCode");
  return typeof status === "number" ? status : 500;
}

function failCallback({ args }: Call, error: unknown): void {
  const callback = args.findLast((argument) => typeof argument === "function");
  if (callback) process.nextTick(callback, error);
}
