/** The `url` option: which servers it names, and as whom. */

/** What a url says. */
export interface Address {
  readonly layout: "standalone" | "sentinel" | "cluster";
  readonly hosts: readonly Host[];
  readonly tls: boolean;
  readonly user: Credentials;
  /** Of the sentinels themselves; a cluster and a single server have none. */
  readonly sentinelUser: Credentials;
  /** What the sentinels call the master; empty without sentinels. */
  readonly master: string;
  readonly db: number;
  /** IP version; 0: either. */
  readonly family: 0 | 4 | 6;
}

interface Host {
  readonly host: string;
  readonly port: number;
}

interface Credentials {
  readonly username?: string;
  readonly password?: string;
}

const FORM =
  /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/]*)@)?([^/?@#]*)(\/[^?#@]*)?(?:\?([^#]*))?$/;
const HOST = /^(?:\[([0-9a-f:.]+)\]|([^\s:[\]]+))(?::(\d{1,5}))?$/i;
const PATHS = { standalone: /^\/?(\d*)$/, sentinel: /^\/([^/]+)(?:\/(\d+))?$/, cluster: /^\/?0?$/ };
const PARAMETERS = {
  standalone: ["db", "family"],
  sentinel: ["sentinelUsername", "sentinelPassword", "family"],
  cluster: ["family"],
};
const PORT = 6379;
const SENTINEL_PORT = 26_379;

/**
 * Reads `redis://`, `redis+sentinel://host,host/master/db` and `redis+cluster://host,host`, each also
 * with `rediss`. Answers with the problem where there is one; it never quotes the url.
 */
export function parseUrl(url: string): Address | { readonly problem: string } {
  try {
    return addressOf(url);
  } catch (error) {
    if (error instanceof Problem) return { problem: error.message };
    return { problem: "has a % that is no percent-encoding: write %25 for a percent sign" };
  }
}

class Problem extends Error {}

function addressOf(url: string): Address {
  const [whole, scheme, form, login, servers = "", path = "", query] = FORM.exec(url) ?? [];
  if (whole === undefined) throw new Problem(formProblem(url));
  const layout = (form ?? "standalone") as Address["layout"];
  const names = servers === "" ? [] : servers.split(",");
  const given = parametersOf(layout, query);
  if (names.length === 0) throw new Problem("names no host");
  if (layout === "standalone" && names.length > 1) throw new Problem(MANY);
  const [first, second] = pathOf(layout, path);
  const family = given.get("family") ?? "0";
  if (!/^[046]$/.test(family)) throw new Problem("has a family that is not 0, 4 or 6");
  const db = (layout === "sentinel" ? second : first) || given.get("db") || "0";
  if (!/^\d+$/.test(db)) throw new Problem("has a db that is not a number");
  return {
    layout,
    hosts: names.map((name) => hostOf(name, layout === "sentinel" ? SENTINEL_PORT : PORT)),
    tls: scheme === "rediss",
    user: credentialsOf(login ?? ""),
    sentinelUser: credentials(given.get("sentinelUsername"), given.get("sentinelPassword")),
    master: layout === "sentinel" ? decodeURIComponent(first ?? "") : "",
    db: Number(db),
    family: Number(family) as Address["family"],
  };
}

const MANY =
  "names several hosts: write redis+cluster://host,host or redis+sentinel://host,host/master";
const ENCODE = "percent-encode @ : / ? # in user and password";
const SCHEMES = "redis://, rediss://, redis+sentinel:// or redis+cluster:// (or rediss+…)";

function formProblem(url: string): string {
  if (!/^rediss?(?:\+(?:sentinel|cluster))?:\/\//.test(url)) return `must begin with ${SCHEMES}`;
  return `is not of the form; ${ENCODE}`;
}

function pathOf(layout: Address["layout"], path: string): readonly (string | undefined)[] {
  const found = PATHS[layout].exec(path);
  if (found) return found.slice(1);
  if (layout === "cluster") throw new Problem("names a db: a cluster has only 0");
  if (layout === "standalone") throw new Problem("has a path that is not the number of a db");
  throw new Problem("must name the master after the hosts: redis+sentinel://host,host/master");
}

function hostOf(name: string, port: number): Host {
  const [whole, six, other, ownPort] = HOST.exec(name) ?? [];
  const found = ownPort === undefined ? port : Number(ownPort);
  if (whole !== undefined && found > 0 && found < 65_536) {
    return { host: six ?? other ?? "", port: found };
  }
  throw new Problem(`has a host that is not name:port; ${ENCODE}`);
}

function credentialsOf(login: string): Credentials {
  if (login === "") return {};
  const colon = login.indexOf(":");
  if (colon < 0)
    throw new Problem("has a user without a password: write user:password@ or :password@");
  const [username, password] = [login.slice(0, colon), login.slice(colon + 1)];
  return credentials(decodeURIComponent(username), decodeURIComponent(password));
}

function credentials(username: string = "", password: string = ""): Credentials {
  if (username !== "") return { username, password };
  return password === "" ? {} : { password };
}

function parametersOf(layout: Address["layout"], query: string = ""): Map<string, string> {
  const known = PARAMETERS[layout];
  const given = new Map<string, string>();
  for (const each of query.split("&").filter(Boolean)) {
    const [name = "", value = ""] = each.split("=", 2);
    if (!known.includes(name)) {
      throw new Problem(
        `has a parameter other than ${known.join(", ")}: give a client for the rest`,
      );
    }
    given.set(name, decodeURIComponent(value));
  }
  return given;
}
