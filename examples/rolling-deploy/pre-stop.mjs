/** `node pre-stop.mjs`: has the process beside it save its sessions, before anybody sends it a signal. */
const { EXPORT_SECRET, PORT = "3000" } = process.env;

if (EXPORT_SECRET) {
  const response = await fetch(`http://127.0.0.1:${PORT}/internal/export`, {
    method: "POST",
    headers: { authorization: `Bearer ${EXPORT_SECRET}` },
    signal: AbortSignal.timeout(5_000),
  });
  console.log(`export: ${response.status} ${await response.text()}`);
  if (!response.ok) process.exitCode = 1;
}
