/* The sheet of the drawings, linked when the first one is made; the page says where it is. */
let linked = null;

export function linkSheet(href) {
  linked ??= new Promise((resolve) => {
    if (!href) return resolve();
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
    for (const kind of ["load", "error"]) link.addEventListener(kind, resolve);
    document.head.append(link);
  });
  return linked;
}
