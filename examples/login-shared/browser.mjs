/** A browser for checks: a cookie jar that follows redirects. */
export class Browser {
  cookies = new Map();
  /** `X-Served-By` of the last answer. */
  servedBy = null;
  #url;
  #headers;

  /** `headers` are sent with every request. */
  constructor(url, headers = {}) {
    this.#url = url;
    this.#headers = headers;
  }

  /** The same browser, cookies and all, at another address of the site. */
  at(url) {
    const there = new Browser(url, this.#headers);
    there.cookies = this.cookies;
    return there;
  }

  get(path) {
    return this.#text("GET", path);
  }

  post(path, form) {
    return this.#text("POST", path, { body: new URLSearchParams(form) });
  }

  /** The status alone, and no redirect. */
  async status(method, path, headers) {
    return (await this.#fetch(method, path, { headers })).status;
  }

  async #text(method, path, options) {
    const response = await this.#fetch(method, path, options);
    const location = response.headers.get("location");
    return location ? this.get(location) : response.text();
  }

  async #fetch(method, path, { headers, body } = {}) {
    const cookie = [...this.cookies].map((pair) => pair.join("=")).join("; ");
    const response = await fetch(new URL(path, this.#url), {
      method,
      body,
      redirect: "manual",
      headers: { ...this.#headers, ...headers, ...(cookie && { cookie }) },
    });
    this.servedBy = response.headers.get("x-served-by");
    for (const header of response.headers.getSetCookie()) this.#keep(header);
    return response;
  }

  #keep(header) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(header);
    if (/;\s*Max-Age=0/i.test(header)) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}
