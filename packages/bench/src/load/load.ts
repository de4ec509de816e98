/** The load: connections that ask one contender for one route, again and again. */
import type { Route } from "../contender.ts";
import { userName } from "../session-data.ts";
import { FORWARDED } from "../sites/uses.ts";
import { Connection } from "./connection.ts";
import type { Answer } from "./connection.ts";

/** What is asked, by whom. */
export interface LoadSettings {
  readonly port: number;
  readonly route: Route;
  /** Of the sessions; each connection has its share of them, unless there are too few. */
  readonly cookies: readonly string[];
  readonly connections: number;
}

const METHODS: Record<Route, "GET" | "POST"> = {
  none: "GET",
  read: "GET",
  write: "POST",
  login: "POST",
  anon: "GET",
};

/** Requests of one contender and route. `stop` it. */
export class Load {
  readonly #settings: LoadSettings;
  readonly #connections: Connection[];
  #answered = 0;

  constructor(settings: LoadSettings) {
    this.#settings = settings;
    this.#connections = Array.from(
      { length: settings.connections },
      () => new Connection(settings.port),
    );
  }

  /** Requests answered so far. */
  get answered(): number {
    return this.#answered;
  }

  /** Asks until the time is over. @throws Error for any answer but 200 */
  async runFor(ms: number): Promise<void> {
    const until = performance.now() + ms;
    await this.#run(() => performance.now() < until);
  }

  /** Asks so many times. @throws Error for any answer but 200 */
  async run(requests: number): Promise<void> {
    let left = requests;
    await this.#run(() => {
      left -= 1;
      return left >= 0;
    });
  }

  stop(): void {
    for (const connection of this.#connections) connection.close();
  }

  async #run(goesOn: () => boolean): Promise<void> {
    await Promise.all(
      this.#connections.map(async (connection, index) => {
        for (const visit of visits(this.#settings, index)) {
          if (!goesOn()) return;
          visit.answered(await connection.ask(visit.request));
          this.#answered += 1;
        }
      }),
    );
  }
}

/** One request, and what its browser makes of the answer. */
interface Visit {
  readonly request: string;
  answered(answer: Answer): void;
}

/** The requests of one connection, without end: of its sessions in turn, or of one that logs in as one user after another. */
function* visits({ route, cookies, connections }: LoadSettings, index: number): Generator<Visit> {
  const own = cookies.filter((_, at) => at % connections === index);
  const sessions = own.length > 0 ? own : cookies;
  if (route === "login") yield* logins(sessions[0], { users: cookies.length, connections, index });
  const browsers = route === "anon" ? [undefined] : sessions;
  const requests = browsers.map((cookie) => requestFor(route, cookie));
  for (;;) for (const request of requests) yield { request, answered: ignore };
}

const ignore = (): void => {};

interface Turns {
  readonly users: number;
  readonly connections: number;
  readonly index: number;
}

function* logins(
  cookie: string | undefined,
  { users, connections, index }: Turns,
): Generator<Visit> {
  let jar = cookie;
  const answered = ({ setCookie }: Answer): void => {
    jar = cookieIn(setCookie) ?? jar;
  };
  for (let turn = index; ; turn += connections)
    yield { request: requestFor("login", jar, userName(turn % Math.max(1, users))), answered };
}

/** The text of a request. */
export function requestFor(route: Route, cookie: string | undefined, user?: string): string {
  const headers: Record<string, string> = {
    host: "sessions.example",
    "user-agent": "sojourn-bench",
    accept: "*/*",
    ...FORWARDED,
    ...(METHODS[route] === "POST" ? { "content-length": "0" } : {}),
    ...(cookie === undefined ? {} : { cookie }),
    ...(user === undefined ? {} : { "x-user": user }),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${METHODS[route]} /${route} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/** What a browser sends back. */
function cookieIn(setCookie: readonly string[]): string | undefined {
  if (setCookie.length === 0) return undefined;
  return setCookie.map((each) => each.split(";", 1)[0]).join("; ");
}
