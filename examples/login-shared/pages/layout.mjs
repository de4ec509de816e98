/** The frame of every page: head, signpost, notices, content, and the facts of the session. */
import { assetPath } from "../assets.mjs";
import { html } from "../html.mjs";
import { count, when } from "./words.mjs";

/** A whole page as text. `title` is its name; `problem` marks a form that came back. */
export function layout(shell, { title, problem = false, wide = false, main }) {
  return String(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          <title>${problem && "Problem: "}${title} · Waypost</title>
          <link rel="icon" href="${assetPath("icon.svg")}" type="image/svg+xml" />
          <link rel="stylesheet" href="${assetPath("style.css")}" />
        </head>
        <body>
          <a class="skip" href="#main">Skip to content</a>
          <header class="top">
            <a class="brand" href="/"><span>Waypost</span></a>
            ${navigation(shell)}
          </header>
          <div role="status" aria-live="polite" class="notices">
            ${shell.notices.map(({ tone, words }) => html`<p class="notice ${tone}">${words}</p>`)}
          </div>
          <main id="main" tabindex="-1" class="${wide ? "wide" : "narrow"}">${main}</main>
          <footer>
            ${sessionFacts(shell)}
            <p>
              A demonstration of Sojourn sessions on ${shell.framework}. Nothing here is really for
              sale. ${shell.servedBy && html`This page was made by <code>${shell.servedBy}</code>.`}
            </p>
          </footer>
        </body>
      </html>`,
  );
}

function navigation({ user, cart, path }) {
  const link = (href, label) =>
    html`<a href="${href}" ${path === href && html` aria-current="page"`}>${label}</a>`;
  return html`<nav aria-label="Main">
    ${link("/", "Shop")}
    ${link("/cart", html`Cart <span class="count">${cart.count}<span class="unseen"> ${count(cart.count, "thing").replace(/^\d+ /, "")}</span></span>`)}
    ${
      user
        ? html`${link("/devices", "Devices")} ${link("/account", user.name)}
            <form method="post" action="/logout"><button class="plain">Sign out</button></form>`
        : html`${link("/login", "Sign in")} ${link("/signup", "Sign up")}`
    }
  </nav>`;
}

const row = (term, value) =>
  html`<div>
    <dt>${term}</dt>
    <dd>${value}</dd>
  </div>`;

function sessionFacts({ user, facts, now }) {
  if (!facts) return null;
  const isSaved = facts.handle !== null;
  return html`<details class="facts">
    <summary>This session, as the server sees it</summary>
    ${
      isSaved
        ? html`<dl>
            ${row("Handle (public, not the secret)", html`<code>${facts.handle}</code>`)}
            ${row("Signed in as", user ? user.email : "nobody yet")} ${row("Level", facts.level)}
            ${row("Began", when(facts.createdAt, now))}
            ${facts.authenticatedAt !== null && row("Password last proved", when(facts.authenticatedAt, now))}
            ${row("Ends when idle", when(facts.expiresAt, now))}
            ${row("Ends in any case", when(facts.absoluteExpiresAt, now))}
          </dl>`
        : html`<p>There is none: you only looked, so nothing was stored and no cookie was set.</p>`
    }
  </details>`;
}
