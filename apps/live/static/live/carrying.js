/** How much each channel carries beside a file, and whether it carries the file itself. */

import { config } from "./config.js";

/** @typedef {import("./upload.js").Upload} Upload */

// Of the text, where the file goes as a link in it.
const LINK_LENGTH = 200;

/**
 * What a channel does not carry the server sends as a link.
 * @param {string} channel
 * @param {Upload} upload
 */
export function goesAsLink(channel, { kind, size }) {
  return size > (config.connectors[channel]?.largest[kind] ?? -1);
}

/**
 * How long a text may be.
 * @param {string} channel
 * @param {Upload | null} upload
 */
export function roomFor(channel, upload) {
  const connector = config.connectors[channel];
  if (!connector) return Infinity;
  if (!upload) return connector.longest_text;
  return goesAsLink(channel, upload) ? connector.longest_text - LINK_LENGTH : (connector.media[upload.kind] ?? 0);
}
