/** The pictures: line drawings that take the page's colours. Decoration, so hidden from readers. */
import { html } from "../html.mjs";

const draw = (viewBox, shapes) =>
  html`<svg class="art" viewBox="${viewBox}" aria-hidden="true" focusable="false">${shapes}</svg>`;

/** Pictures of the products by id. Classes: `a` accent, `s` surface, `l` line only, `d` dark. */
export const productArt = {
  mug: draw(
    "0 0 160 120",
    html`<path class="l" d="M106 46h12a13 13 0 0 1 13 13v8a17 17 0 0 1-17 17h-8" /><path
        class="s"
        d="M46 34h62v50a12 12 0 0 1-12 12H58a12 12 0 0 1-12-12z"
      /><path class="a" d="M46 52h62v18H46z" /><path class="l" d="M42 34h70" /><path
        class="l"
        d="M66 24c-5-5 5-8 0-14M84 24c-5-5 5-8 0-14"
      />`,
  ),
  compass: draw(
    "0 0 160 120",
    html`<path class="l" d="M74 16a7 7 0 1 1 12 0" /><circle
        class="s"
        cx="80"
        cy="64"
        r="43"
      /><circle class="l" cx="80" cy="64" r="33" /><path class="a" d="m80 64-8-6 22-20z" /><path
        class="d"
        d="m80 64 8 6-22 20z"
      /><path class="a" d="m72 58 16 12 6-32z" /><path class="d" d="m72 58 16 12-22 20z" /><path
        class="l"
        d="M80 25v5M80 98v5M41 64h5M114 64h5"
      />`,
  ),
  blanket: draw(
    "0 0 160 120",
    html`<path class="s" d="M30 78h100v20a6 6 0 0 1-6 6H36a6 6 0 0 1-6-6z" /><path
        class="s"
        d="M34 54h92a6 6 0 0 1 6 6v12a6 6 0 0 1-6 6H34a6 6 0 0 1-6-6V60a6 6 0 0 1 6-6z"
      /><path
        class="a"
        d="M38 30h84a6 6 0 0 1 6 6v12a6 6 0 0 1-6 6H38a6 6 0 0 1-6-6V36a6 6 0 0 1 6-6z"
      /><path class="l" d="M52 30v24M62 30v24M50 78v26M60 78v26M48 54v24" /><path
        class="l"
        d="M108 104v7M116 104v7M124 104v6"
      />`,
  ),
  lantern: draw(
    "0 0 160 120",
    html`<path class="l" d="M58 34a22 22 0 0 1 44 0" /><path
        class="d"
        d="M62 30h36l4 10H58z"
      /><path class="s" d="M58 40h44v46H58z" /><path
        class="a"
        d="M80 50c9 10 11 15 11 20a11 11 0 0 1-22 0c0-5 2-10 11-20z"
      /><path class="d" d="M54 86h52v14H54z" /><path class="l" d="M66 40v46M94 40v46" />`,
  ),
  notebook: draw(
    "0 0 160 120",
    html`<path class="s" d="M48 16h60a8 8 0 0 1 8 8v72a8 8 0 0 1-8 8H48z" /><path
        class="a"
        d="M48 16h14v88H48z"
      /><path class="l" d="M42 30h12M42 48h12M42 66h12M42 84h12M74 40h28M74 52h28M74 64h18" /><path
        class="d"
        d="m96 92 4-11 26-26 7 7-26 26z"
      />`,
  ),
  pack: draw(
    "0 0 160 120",
    html`<path class="l" d="M66 20a14 14 0 0 1 28 0" /><path
        class="s"
        d="M48 48a30 28 0 0 1 64 0v48a8 8 0 0 1-8 8H56a8 8 0 0 1-8-8z"
      /><path class="a" d="M48 48a30 28 0 0 1 64 0v8c-10 8-54 8-64 0z" /><path
        class="s"
        d="M60 74h40v22H60z"
      /><path class="l" d="M74 58v12M86 58v12M60 84h40M48 74H38v22h10M112 74h10v22h-10" />`,
  ),
};

/** A laptop or a telephone. */
export const deviceArt = (isHandheld) =>
  isHandheld
    ? draw(
        "0 0 48 48",
        html`<rect class="s" x="14" y="5" width="20" height="38" rx="4" /><path
            class="a"
            d="M14 12h20v23H14z"
          /><path class="l" d="M22 39h4" />`,
      )
    : draw(
        "0 0 48 48",
        html`<rect class="s" x="9" y="10" width="30" height="22" rx="2" /><path
            class="a"
            d="M14 15h20v12H14z"
          /><path class="s" d="M4 32h40v3a4 4 0 0 1-4 4H8a4 4 0 0 1-4-4z" />`,
      );
