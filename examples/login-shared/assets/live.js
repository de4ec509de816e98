/** Shown again as soon as the server says that the session has ended: the page then tells why. */
const SESSION_ENDED = 4401;
const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/live`);
socket.addEventListener("close", ({ code }) => {
  if (code === SESSION_ENDED) location.reload();
});
