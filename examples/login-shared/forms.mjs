/** Reading forms: what came in, made plain, and what is wrong with it. */

const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
/** NIST SP 800-63B-4 3.1.1.2: at least 15 characters where the password is the only factor. */
export const PASSWORD_LENGTH = { min: 15, max: 128 };

/** One field as a string of bounded length; an absent or repeated one is empty. */
export function text(form, name, max = 200) {
  const value = form?.[name];
  return typeof value === "string" ? value.slice(0, max) : "";
}

/** A new password and its problem, if it has one. */
export function newPassword(form) {
  const password = text(form, "password", PASSWORD_LENGTH.max + 1);
  const { min, max } = PASSWORD_LENGTH;
  if (password.length < min)
    return { password, problem: `Use at least ${min} characters. A few words will do.` };
  if (password.length > max) return { password, problem: `Use at most ${max} characters.` };
  return { password, problem: null };
}

/** The sign-up form: its values, and problems by field name (none: an empty object). */
export function signUpForm(form) {
  const name = text(form, "name", 60).trim();
  const email = text(form, "email").trim().toLowerCase();
  const { password, problem } = newPassword(form);
  const problems = {};
  if (!name) problems.name = "Tell us what to call you.";
  if (!EMAIL.test(email)) problems.email = "Write it like name@example.com.";
  if (problem) problems.password = problem;
  return { values: { name, email, password }, problems };
}
