/* A concept's colour: the same for the same id everywhere. Colour never speaks alone: the name stands beside it. */
export function hueOf(id) {
  return `var(${hueName(id)})`;
}

export function hueName(id) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i += 1) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return `--concept-${((hash >>> 0) % 8) + 1}`;
}
