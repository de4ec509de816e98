/** What is for sale, and the cart: quantities by product, kept in the session. */

export const PRODUCTS = [
  { id: "mug", name: "Tin mug", cents: 1400, note: "Keeps its dents, and its stories." },
  { id: "compass", name: "Pocket compass", cents: 3200, note: "North, without a battery." },
  { id: "blanket", name: "Wool blanket", cents: 6800, note: "For the night that came too early." },
  { id: "lantern", name: "Camp lantern", cents: 4100, note: "Twelve hours of small light." },
  { id: "notebook", name: "Field notebook", cents: 900, note: "Writes in the rain." },
  { id: "pack", name: "Day pack", cents: 7900, note: "Room for lunch and a detour." },
];
const MOST = 9;

/** Adds one of a product to session data; an unknown product changes nothing. */
export function addToCart(data, id) {
  if (!PRODUCTS.some((product) => product.id === id)) return;
  data.cart = { ...data.cart, [id]: Math.min((data.cart?.[id] ?? 0) + 1, MOST) };
}

/** Takes a product out of session data. */
export function removeFromCart(data, id) {
  const { [id]: _removed, ...rest } = data.cart ?? {};
  data.cart = rest;
}

/** The cart for display: its lines, how many things, what they cost. */
export function cartLines(cart = {}) {
  const lines = PRODUCTS.filter(({ id }) => cart[id]).map((product) => ({
    product,
    quantity: cart[product.id],
    cents: product.cents * cart[product.id],
  }));
  return {
    lines,
    count: lines.reduce((sum, line) => sum + line.quantity, 0),
    cents: lines.reduce((sum, line) => sum + line.cents, 0),
  };
}
