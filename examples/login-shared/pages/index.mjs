/** Every page: a function of the shell (see shell.mjs) and the page's own facts to HTML text. */
import { accountPage, devicesPage, passwordPage } from "./account.mjs";
import { confirmPage, loginPage, signUpPage } from "./entry.mjs";
import { errorPage } from "./error.mjs";
import { cartPage, shopPage } from "./shop.mjs";

export const pages = {
  account: accountPage,
  cart: cartPage,
  confirm: confirmPage,
  devices: devicesPage,
  error: errorPage,
  login: loginPage,
  password: passwordPage,
  shop: shopPage,
  signUp: signUpPage,
};
