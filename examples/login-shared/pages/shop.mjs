/** The shop and the cart. */
import { html } from "../html.mjs";
import { PRODUCTS } from "../shop.mjs";
import { productArt } from "./art.mjs";
import { layout } from "./layout.mjs";
import { act } from "./parts.mjs";
import { count, money } from "./words.mjs";

export const shopPage = (shell) =>
  layout(shell, {
    title: "Shop",
    wide: true,
    main: html`<section class="hero">
        <h1>Small things for&nbsp;long&nbsp;walks</h1>
        <p>
          ${
            shell.user
              ? html`Welcome, ${shell.user.name}. Your cart came along when you signed in.`
              : html`Fill the cart as a stranger and <a href="/login">sign in</a> later: it comes
                  along.`
          }
        </p>
      </section>
      <ul class="products">
        ${PRODUCTS.map(
          (product) =>
            html`<li>
              <div class="picture">${productArt[product.id]}</div>
              <h2>${product.name}</h2>
              <p>${product.note}</p>
              <div class="buy">
                <span class="price">${money(product.cents)}</span>
                ${act({ action: "/cart/add", label: "Add to cart", about: product.name, values: { product: product.id }, look: "sign" })}
              </div>
            </li>`,
        )}
      </ul>`,
  });

export const cartPage = (shell) =>
  layout(shell, {
    title: "Cart",
    main: html`<h1>Your cart</h1>
      ${shell.cart.count === 0 ? emptyCart : filledCart(shell)}`,
  });

const emptyCart = html`<p class="lead">Nothing in it yet.</p>
  <p><a class="sign" href="/">To the shop</a></p>`;

function filledCart({ cart, user }) {
  return html`<p class="lead">${count(cart.count, "thing")} for the road.</p>
    <table>
      <thead>
        <tr>
          <th scope="col">Thing</th>
          <th scope="col" class="number">Quantity</th>
          <th scope="col" class="number">Price</th>
          <td></td>
        </tr>
      </thead>
      <tbody>
        ${cart.lines.map(
          ({ product, quantity, cents }) =>
            html`<tr>
              <th scope="row">${product.name}</th>
              <td class="number">${quantity}</td>
              <td class="number">${money(cents)}</td>
              <td class="number">
                ${act({ action: "/cart/remove", label: "Remove", about: product.name, values: { product: product.id } })}
              </td>
            </tr>`,
        )}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row" colspan="2">Together</th>
          <td class="number">${money(cart.cents)}</td>
          <td></td>
        </tr>
      </tfoot>
    </table>
    ${
      user
        ? act({ action: "/cart/order", label: "Place the order", look: "sign" })
        : html`<p>
            <a class="sign" href="/login?next=/cart">Sign in to order</a>
            <span class="aside">The cart stays as it is.</span>
          </p>`
    }`;
}
