/** What one connection asks, as autocannon is told it. */
import type { Client, Request } from "autocannon";
import type { Route } from "../contender.ts";
import { userName } from "../session-data.ts";
import { requestFor } from "./request.ts";

/** What is asked, by whom. */
export interface Browsing {
  readonly route: Route;
  /** Of the sessions, the first of them of user 0; each connection has its share of them, unless there are too few. */
  readonly cookies: readonly string[];
  readonly connections: number;
}

/** Gives a connection its requests, which it sends in turn, again and again. */
export type Browser = (connection: Client) => void;

/** A browser for each connection: one with its sessions in turn, or one that logs in as one user after another. */
export function browsersOf({ route, cookies, connections }: Browsing): Browser[] {
  const all = cookies.map((cookie, at) => ({ cookie, user: userName(at) }));
  return Array.from({ length: connections }, (_, index) => {
    const own = all.filter((_session, at) => at % connections === index);
    const sessions = own.length > 0 ? own : all;
    return route === "login" ? loggingIn(sessions) : asking(route, sessions);
  });
}

interface Seeded {
  readonly cookie: string;
  readonly user: string;
}

function asking(route: Route, sessions: readonly Seeded[]): Browser {
  const requests = sessions.map(({ cookie }) => requestFor(route, cookie));
  return (connection) => connection.setRequests(requests);
}

/**
 * It goes on with the cookie that it was given. All its requests are prepared, for a framework alone would wait for
 * autocannon otherwise; whoever gives a cookie gives one at each login, so then only the next one is.
 */
function loggingIn(sessions: readonly Seeded[]): Browser {
  let jar = sessions[0]?.cookie;
  let turn = 0;
  return (connection) => {
    const prepare = (requests: number): void =>
      connection.setRequests(
        Array.from({ length: requests }, (_, ahead) => ({
          ...requestFor("login", jar, sessions[(turn + ahead) % sessions.length]?.user),
          onResponse,
        })),
      );
    const onResponse: Request["onResponse"] = (_status, _body, _context, headers) => {
      turn += 1;
      const given = cookieIn(headers);
      if (given === undefined) return;
      jar = given;
      prepare(1);
    };
    prepare(sessions.length);
  };
}

/** What a browser sends back. autocannon leaves the names of headers as they came, and makes no list of one value. */
function cookieIn(headers: Request["headers"] = {}): string | undefined {
  const setCookie = Object.entries(headers).flatMap(([name, value]) =>
    name.toLowerCase() === "set-cookie" ? (value ?? []) : [],
  );
  if (setCookie.length === 0) return undefined;
  return setCookie.map((each) => each.split(";", 1)[0]).join("; ");
}
