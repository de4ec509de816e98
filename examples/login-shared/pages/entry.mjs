/** Signing up, signing in, and proving it again. */
import { PASSWORD_LENGTH } from "../forms.mjs";
import { html } from "../html.mjs";
import { layout } from "./layout.mjs";
import { alert, field, whose } from "./parts.mjs";
import { when } from "./words.mjs";

const next = (path) =>
  path && path !== "/" && html`<input type="hidden" name="next" value="${path}" />`;

export const loginPage = (shell, { email = "", path = "/", problem } = {}) =>
  layout(shell, {
    title: "Sign in",
    problem: Boolean(problem),
    main: html`<h1>Sign in</h1>
      ${shell.cart.count > 0 && html`<p class="lead">Your cart stays with you.</p>`}
      ${alert(problem)}
      <form method="post" action="/login" class="card">
        ${field({ name: "email", label: "E-mail", type: "email", value: email, autocomplete: "username", focus: !problem })}
        ${field({ name: "password", label: "Password", type: "password", autocomplete: "current-password", focus: Boolean(problem) })}
        ${next(path)}
        <button class="sign">Sign in</button>
      </form>
      <p>New here? <a href="/signup">Sign up</a>.</p>`,
  });

export function signUpPage(shell, { values = {}, problems = {} } = {}) {
  const [first = "name"] = ["name", "email", "password"].filter((name) => problems[name]);
  const hasProblem = Boolean(problems[first]);
  return layout(shell, {
    title: "Sign up",
    problem: hasProblem,
    main: html`<h1>Sign up</h1>
      ${alert(hasProblem && "Something is not right yet. See below.")}
      <form method="post" action="/signup" class="card" novalidate>
        ${field({ name: "name", label: "Name", value: values.name, autocomplete: "name", problem: problems.name, focus: first === "name" })}
        ${field({ name: "email", label: "E-mail", type: "email", value: values.email, autocomplete: "username", problem: problems.email, focus: first === "email" })}
        ${newPasswordField({ problem: problems.password, focus: first === "password" })}
        <button class="sign">Sign up</button>
      </form>
      <p>You have been here? <a href="/login">Sign in</a>.</p>`,
  });
}

export const newPasswordField = ({ problem, focus }) =>
  field({
    name: "password",
    label: "New password",
    type: "password",
    autocomplete: "new-password",
    hint: `At least ${PASSWORD_LENGTH.min} characters. A few words will do.`,
    problem,
    focus,
  });

export const confirmPage = (shell, { path, problem } = {}) =>
  layout(shell, {
    title: "Is it still you?",
    problem: Boolean(problem),
    main: html`<h1>Is it still you?</h1>
      <p class="lead">
        You last gave your password ${when(shell.facts.authenticatedAt, shell.now)}. The next step
        wants it again.
      </p>
      ${alert(problem)}
      <form method="post" action="/confirm" class="card">
        ${whose(shell.user)}
        ${field({ name: "password", label: "Password", type: "password", autocomplete: "current-password", focus: true })}
        ${next(path)}
        <button class="sign">Go on</button>
      </form>`,
  });
