/** The account, the change of its password, and the devices. */
import { assetPath } from "../assets.mjs";
import { html } from "../html.mjs";
import { deviceArt } from "./art.mjs";
import { newPasswordField } from "./entry.mjs";
import { layout } from "./layout.mjs";
import { act, alert, whose } from "./parts.mjs";
import { count, when } from "./words.mjs";

export const accountPage = (shell) =>
  layout(shell, {
    title: "Account",
    main: html`<h1>Hello, ${shell.user.name}</h1>
      <p class="lead">${shell.user.email}</p>
      <section class="card">
        <h2>Password</h2>
        <p>
          Changing it signs out your other devices. If you gave your password more than five minutes
          ago, you are asked for it first.
        </p>
        <p><a class="sign" href="/account/password">Change password</a></p>
      </section>
      <section class="card">
        <h2>Devices</h2>
        <p>
          See where you are signed in, and sign out what you do not know.
          ${shell.limits.max > 0 && `At most ${shell.limits.max} at a time.`}
        </p>
        <p><a class="quiet" href="/devices">Your devices</a></p>
      </section>
      ${shell.live && html`<script src="${assetPath("live.js")}" type="module"></script>`}`,
  });

export const passwordPage = (shell, { problem } = {}) =>
  layout(shell, {
    title: "Change password",
    problem: Boolean(problem),
    main: html`<h1>Change password</h1>
      <p class="lead">All your other devices will be signed out.</p>
      ${alert(problem && "That password cannot be used. See below.")}
      <form method="post" action="/account/password" class="card" novalidate>
        ${whose(shell.user)} ${newPasswordField({ problem, focus: true })}
        <button class="sign">Change password</button>
      </form>
      <p><a href="/account">Leave it as it is</a></p>`,
  });

export const devicesPage = (shell, { devices }) =>
  layout(shell, {
    title: "Your devices",
    main: html`<h1>Your devices</h1>
      <p class="lead">
        ${count(devices.length, "device")}${
          shell.limits.max > 0
            ? ` of at most ${shell.limits.max}. One more signs out the oldest.`
            : "."
        }
      </p>
      <ul class="devices">
        ${devices.map((device) => deviceItem(device, shell.now))}
      </ul>
      <div class="row">
        ${devices.length > 1 && act({ action: "/devices/sign-out-others", label: "Sign out all others", look: "sign" })}
        ${act({ action: "/devices/sign-out-everywhere", label: "Log out everywhere", look: "danger" })}
      </div>`,
  });

function deviceItem({ handle, label, ip, isHandheld, isCurrent, createdAt, seenAt }, now) {
  return html`<li${isCurrent && html` class="current"`}>
    ${deviceArt(isHandheld)}
    <div>
      <h2>${label}${isCurrent && html` <span class="badge">This device</span>`}</h2>
      <p>Signed in ${when(createdAt, now)}, ${isCurrent ? "in use now" : html`last seen ${when(seenAt, now)}`}${ip && html` from <span class="ip">${ip}</span>`}</p>
    </div>
    ${!isCurrent && act({ action: "/devices/sign-out", label: "Sign out", about: label, values: { handle } })}
  </li>`;
}
