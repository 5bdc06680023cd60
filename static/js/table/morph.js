/* Makes a part of the page like what the server sent, changing only what differs: focus, selection and scroll stay. */

// What modules of the page set, and the server knows nothing of.
const OURS = new Set(["tabindex", "aria-selected", "popovertarget", "aria-expanded", "aria-describedby", "data-fresh"]);

function morph(from, to) {
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  for (const { name, value } of to.attributes) {
    if (!OURS.has(name) && from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  for (const { name } of [...from.attributes]) {
    const isOurs = OURS.has(name) || (name === "title" && from.localName === "time");
    if (!isOurs && !to.hasAttribute(name)) from.removeAttribute(name);
  }
  if (from.localName === "select") from.value = [...to.options].find((option) => option.hasAttribute("selected"))?.value ?? "";
  morphChildren(from, to);
}

function morphChildren(from, to) {
  const named = new Map([...from.children].filter((child) => child.id).map((child) => [child.id, child]));
  let at = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const kept = wanted.id ? named.get(wanted.id) : isLike(at, wanted) ? at : null;
    if (!kept) {
      from.insertBefore(document.importNode(wanted, true), at);
      continue;
    }
    if (kept === at) at = at.nextSibling;
    else from.insertBefore(kept, at);
    if (!kept.isEqualNode(wanted)) morph(kept, wanted);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function isLike(node, wanted) {
  return node && !node.id && node.nodeType === wanted.nodeType && node.nodeName === wanted.nodeName;
}

export { morph };
