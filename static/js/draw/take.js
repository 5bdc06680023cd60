/* Copying and downloading a value: text as text, stored bytes as they are, everything else as JSON. */
import { icon, make } from "../dom.js";
import { announce } from "../announce.js";
import { copyText } from "../elements/copy-button.js";

/** The two small buttons that stand at a part's label. */
export function takeButtons(value, context, name) {
  const copy = iconButton("copy", `Copy ${name}`, async () => {
    await copyValue(value, context);
    announce("Copied");
  });
  const load = iconButton("download", `Download ${name}`, () => download(value, context, name));
  return make("span", "take", copy, load);
}

function iconButton(name, label, act) {
  const button = make("button", "button button--quiet button--small button--icon", icon(name, "icon--small"));
  Object.assign(button, { type: "button", title: label });
  button.setAttribute("aria-label", label);
  button.addEventListener("click", act);
  return button;
}

/** A picture as a picture, where the browser can; everything else as text. */
export async function copyValue(value, context) {
  const isPicture = value?.media && /^image\//.test(value.content_type ?? "") && navigator.clipboard?.write;
  if (!isPicture) return copyText(textOf(value));
  const picture = readPicture(context.mediaUrl(value.media));
  return navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]).catch(() => copyText(textOf(value)));
}

async function readPicture(address) {
  const image = Object.assign(new Image(), { src: address });
  await image.decode();
  const canvas = Object.assign(make("canvas"), { width: image.naturalWidth, height: image.naturalHeight });
  canvas.getContext("2d").drawImage(image, 0, 0);
  return new Promise((resolve) => canvas.toBlob(resolve));
}

export function textOf(value) {
  if (typeof value === "string") return value;
  return isText(value) ? value.text : JSON.stringify(value, null, 2);
}

function isText(value) {
  return typeof value?.text === "string" && Object.keys(value).length === 1;
}

/** Saves a value as a file: stored bytes from where they are stored. */
export function download(value, context, name = "") {
  const stored = value?.media ?? value?.ndarray?.media ?? value?.oversize?.media;
  const stem = [context.name, name].filter(Boolean).join("-").replace(/[^\w.-]+/g, "_");
  if (stored) return save(context.mediaUrl(stored), value.ndarray ? `${stem}.npy` : "");
  const isPlain = typeof value === "string" || isText(value);
  const blob = new Blob([textOf(value)], { type: isPlain ? "text/plain" : "application/json" });
  const address = URL.createObjectURL(blob);
  save(address, `${stem}.${isPlain ? "txt" : "json"}`);
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

export function save(href, name) {
  const link = Object.assign(make("a"), { href, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}
