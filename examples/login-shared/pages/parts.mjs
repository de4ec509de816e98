/** Parts that several pages use: fields, problems, buttons. */
import { html } from "../html.mjs";

/** A labelled input with its hint and its problem, tied together for screen readers. */
export function field({
  name,
  label,
  type = "text",
  value = "",
  autocomplete,
  hint,
  problem,
  focus = false,
}) {
  const described = [problem && `${name}-problem`, hint && `${name}-hint`]
    .filter(Boolean)
    .join(" ");
  return html`<div class="field">
    <label for="${name}">${label}</label>
    ${hint && html`<p class="hint" id="${name}-hint">${hint}</p>`}
    <input
      id="${name}"
      name="${name}"
      type="${type}"
      value="${value}"
      autocomplete="${autocomplete}"
      required${
        described && html` aria-describedby="${described}"`
      }${problem && html` aria-invalid="true"`}${focus && html` autofocus`}
    />
    ${problem && html`<p class="problem" id="${name}-problem">${problem}</p>`}
  </div>`;
}

/** What went wrong with a whole form. */
export const alert = (words) => words && html`<p class="notice warn" role="alert">${words}</p>`;

/** A button that posts, with the values that it posts. */
export function act({ action, label, values = {}, look = "quiet", about }) {
  return html`<form method="post" action="${action}">
    ${Object.entries(values).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
    <button class="${look}">${label}${about && html`<span class="unseen"> ${about}</span>`}</button>
  </form>`;
}

/** Tells password managers whose password this is; people see it elsewhere on the page. */
export const whose = ({ email }) =>
  html`<input
    class="unseen"
    type="email"
    value="${email}"
    autocomplete="username"
    readonly
    tabindex="-1"
    aria-hidden="true"
  />`;
