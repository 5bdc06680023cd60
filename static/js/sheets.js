/* Style sheets that come with what needs them, each linked once. */
const linked = new Map();

/** Resolves when the sheet has come, or could not. */
export function linkSheet(href) {
  if (!href || document.querySelector(`link[href="${CSS.escape(href)}"]`)) return Promise.resolve();
  if (!linked.has(href)) {
    linked.set(
      href,
      new Promise((resolve) => {
        const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
        for (const kind of ["load", "error"]) link.addEventListener(kind, resolve);
        document.head.append(link);
      }),
    );
  }
  return linked.get(href);
}
