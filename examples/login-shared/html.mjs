/** HTML by tagged template: every value is escaped, unless it is itself made by `html`. */

class Markup {
  constructor(text) {
    this.text = text;
  }
  toString() {
    return this.text;
  }
}

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escape = (text) => text.replace(/[&<>"']/g, (character) => ENTITIES[character]);

function render(value) {
  if (value === undefined || value === null || value === false) return "";
  if (Array.isArray(value)) return value.map(render).join("");
  return value instanceof Markup ? value.text : escape(String(value));
}

/** Markup from a template; arrays are joined, `null`, `undefined` and `false` leave nothing. */
export const html = (strings, ...values) =>
  new Markup(String.raw({ raw: strings }, ...values.map(render)));
