/** What the login examples share: everything that has nothing to do with the framework. */
export { asset } from "./assets.mjs";
export { toDevice } from "./devices.mjs";
export { flash, tellEnding } from "./flash.mjs";
export {
  confirmPath,
  isCrossSite,
  isFresh,
  isOfOtherOrigin,
  localPath,
  securityHeaders,
} from "./guard.mjs";
export { pages } from "./pages/index.mjs";
export { shellOf } from "./shell.mjs";
export { addToCart, cartLines, removeFromCart } from "./shop.mjs";
export { openUsers } from "./users.mjs";
export { newPassword, signUpForm, text } from "./forms.mjs";
