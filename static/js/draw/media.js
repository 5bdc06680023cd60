/* Pictures, sounds and films that a model made: shown as what their bytes are, whatever was declared. */
import { make } from "../dom.js";
import { bytes } from "../format.js";
import { download } from "./take.js";

const WORDS = { image: "picture", audio: "sound", video: "film" };

export function drawMedia(value, shape, context) {
  if (value.url && !value.media) return drawLink(value.url);
  const said = String(value.content_type ?? "");
  const kind = said.split("/")[0];
  const wanted = WORDS[shape.type];
  if (!(kind in WORDS)) return drawFile(value, context, wanted ? `The bytes are no ${wanted}: nothing here knows them.` : "");
  const drawn = kind === "image" ? drawPicture(value, context) : drawPlayer(kind, value, context);
  if (!wanted || kind === shape.type) return drawn;
  return make("div", "stack", make("p", "muted", `Declared as ${wanted}; the bytes are a ${WORDS[kind]} (${said}).`), drawn);
}

export function drawLink(url) {
  const isSafe = /^https?:/i.test(url);
  const link = make(isSafe ? "a" : "span", "", url);
  if (isSafe) Object.assign(link, { href: url, rel: "noopener noreferrer", target: "_blank" });
  return make("p", "value", link);
}

/** Something to save: bytes of no kind that can be shown. */
export function drawFile(value, context, words = "") {
  const { size, content_type } = value.oversize ?? value;
  const press = make("button", "button", `Download ${[content_type, size && bytes(size)].filter(Boolean).join(", ") || "file"}`);
  press.type = "button";
  press.addEventListener("click", () => download(value, context));
  return make("div", "stack", words && make("p", "muted", words), make("p", "", press));
}

function drawPicture(value, context) {
  const image = Object.assign(make("img", "stage__picture"), { src: context.mediaUrl(value.media), alt: "The picture that the model made" });
  const size = make("figcaption", "media__size");
  image.addEventListener("load", () => (size.textContent = `${image.naturalWidth} × ${image.naturalHeight} px · ${value.content_type}`));
  const figure = make("figure", "media", make("div", "stage stage--checked", image), size);
  image.addEventListener("error", () => figure.replaceWith(broken("picture", value, context)));
  return figure;
}

function drawPlayer(kind, value, context) {
  const player = make(kind, kind === "video" ? "stage__picture" : "media__sound");
  Object.assign(player, { src: context.mediaUrl(value.media), controls: true, preload: "metadata" });
  player.setAttribute("aria-label", `The ${WORDS[kind]} that the model made`);
  player.addEventListener("error", () => player.replaceWith(broken(WORDS[kind], value, context)));
  return player;
}

function broken(word, value, context) {
  return drawFile(value, context, `This ${word} cannot be shown: it is damaged, cut off, or of a kind that this browser does not know.`);
}
