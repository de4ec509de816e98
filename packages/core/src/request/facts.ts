/** What the core needs to know of a request; adapters supply it, no framework type comes further. */

/** Who sent a request, as far as the server can see. */
export interface ClientFacts {
  /** Remote address, after the framework's own trust-proxy rules. */
  readonly ip?: string | undefined;
  /** The `User-Agent` header. */
  readonly userAgent?: string | undefined;
  /** Digest of the device cookie, with the option `deviceCookie`; adapters leave it out. */
  readonly device?: string | undefined;
}

/** The facts of one request. */
export interface RequestFacts {
  /** The raw `Cookie` header; several headers joined by `; `. */
  readonly cookieHeader: string | undefined;
  /** Whether the request came over https, after the framework's own trust-proxy rules. */
  readonly secure: boolean;
  /** Looked at only when a session is created or checked. */
  client(): ClientFacts;
  /**
   * Called at most once, when `commit` may have more to do than to look: the session was changed, or handed something
   * out that can be changed unseen. From then on `commit` is to be called once more when the response is over, for
   * what is changed after its headers.
   */
  hasWork?(): void;
}
