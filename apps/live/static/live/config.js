/** What the server wrote into the page. */

/** @type {import("./types.js").Config} */
export const config = JSON.parse(document.getElementById("live-config")?.textContent ?? "{}");

const [language] = config.language.split("-");

/** The person's language as their browser writes dates and numbers in it, such as with a clock of 24 hours. */
export const locale =
  navigator.languages.find((each) => each.toLowerCase().split("-")[0] === language) ?? config.language;

const plurals = new Intl.PluralRules(locale);

/**
 * A text in the person's language.
 * @param {string} name
 * @param {Record<string, string | number>} [values]
 */
export function say(name, values = {}) {
  const text = config.texts[name] ?? name;
  return text.replace(/%%|%\((\w+)\)s/g, (found, /** @type {string} */ key) =>
    found === "%%" ? "%" : String(values[key] ?? ""),
  );
}

/**
 * A text with a number in it, in the form which that number asks for.
 * @param {string} name
 * @param {number} count
 */
export function sayCount(name, count) {
  const form = plurals.select(count) === "one" ? "one" : "other";
  return say(`${name}_${form}`, { count: count.toLocaleString(locale) });
}

/** @param {string} channel */
export function channelName(channel) {
  return config.connectors[channel]?.label ?? channel;
}
