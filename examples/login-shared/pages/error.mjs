/** When it does not work out: what happened, and where to go from here. */
import { html } from "../html.mjs";
import { layout } from "./layout.mjs";

const WORDS = {
  403: ["Not from there", "This form was sent from another site, so nothing was changed."],
  404: ["No path here", "There is no page at this address."],
  413: ["Too much", "That was more than this form takes."],
  503: [
    "Back in a moment",
    "The sessions cannot be reached just now. Nothing was changed; try again shortly.",
  ],
};

export function errorPage(shell, { status }) {
  const [title, words] = WORDS[status] ?? [
    "That went wrong",
    "It is not your fault, and it is in the log.",
  ];
  return layout(shell, {
    title,
    main: html`<p class="status">${status}</p>
      <h1>${title}</h1>
      <p class="lead">${words}</p>
      <p><a class="sign" href="/">To the shop</a></p>`,
  });
}
