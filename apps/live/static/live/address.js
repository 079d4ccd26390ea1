/** Addresses, so that people can read them. */

const BRAZILIAN = /^\+55(\d{2})(9?\d{4})(\d{4})$/;
const NORTH_AMERICAN = /^\+1(\d{3})(\d{3})(\d{4})$/;

/** @param {string} address */
export function readable(address) {
  return address.replace(BRAZILIAN, "+55 $1 $2-$3").replace(NORTH_AMERICAN, "+1 $1 $2 $3");
}

/**
 * Whom a conversation is with: by their name, where they gave one.
 * @param {import("./types.js").Conversation} conversation
 */
export function whoIn({ contact, address }) {
  return contact.name || readable(address);
}

/** As it is searched: what people write between the digits says nothing. @param {string} text */
export function bare(text) {
  return text.toLowerCase().replace(/[\s().-]/g, "");
}

/** One of a few colours, always the same for one address. @param {string} address */
export function tintOf(address) {
  let sum = 0;
  for (const letter of address) sum = (sum * 31 + letter.charCodeAt(0)) % 997;
  return String(sum % 6);
}
