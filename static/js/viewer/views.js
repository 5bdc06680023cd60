/* An input as the stage shows it: a picture with its pixels, a film with its controls, a sound with its wave, a text. */
import { icon, make } from "../dom.js";
import { drawText } from "../draw/text.js";
import { bytes } from "../format.js";
import { makePicture } from "./neighbours.js";

const TEXT_SHOWN = 1_000_000;

/** {view, size, fresh}: `size` in pixels where it has one; `fresh` is a picture to be kept for its next turn. */
export function makeView(input, kept, onSize, onMove) {
  if (!input.is_ready) return { view: makeWaiting(input), size: null };
  if (input.kind === "image") return showPicture(input, kept, onSize);
  if (input.kind === "video") return { view: makeFilm(input, onSize, onMove), size: input.width ? [input.width, input.height] : null };
  return { view: input.kind === "audio" ? makeSound(input) : makeText(input), size: null };
}

function showPicture(input, kept, onSize) {
  const image = kept ?? makePicture(input);
  const size = input.width ? [input.width, input.height] : image.naturalWidth ? [image.naturalWidth, image.naturalHeight] : null;
  image.onload = () => onSize([image.naturalWidth, image.naturalHeight]);
  image.onerror = () => {
    if (input.original && !image.src.endsWith(input.original)) image.src = input.original;
    else image.replaceWith(words("This picture cannot be shown: it is damaged, or of a kind that this browser does not know.", input));
  };
  return { view: image, size, fresh: image };
}

function makeFilm(input, onSize, onMove) {
  const film = Object.assign(make("video", "viewer__picture"), { src: input.original, controls: true, preload: "auto", playsInline: true, poster: input.preview ?? "" });
  film.setAttribute("aria-label", input.name);
  film.addEventListener("loadedmetadata", () => onSize([film.videoWidth, film.videoHeight]));
  film.addEventListener("error", () => film.replaceWith(words("This browser cannot play the film.", input)));
  const moved = () => {
    film.shownAt = undefined; // until its picture is on screen
    onMove();
  };
  for (const kind of ["seeking", "seeked", "loadeddata"]) film.addEventListener(kind, moved);
  const seen = (_, { mediaTime }) => {
    film.shownAt = mediaTime; // of the picture on screen: where it plays is ahead of that
    onMove();
    if (film.isConnected) film.requestVideoFrameCallback(seen);
  };
  if (film.requestVideoFrameCallback) film.requestVideoFrameCallback(seen);
  else film.addEventListener("timeupdate", moved);
  return film;
}

function makeSound(input) {
  const player = Object.assign(make("audio", "viewer__player"), { src: input.original, controls: true, preload: "metadata" });
  player.setAttribute("aria-label", input.name);
  const wave = input.preview || input.thumbnail;
  const picture = wave && Object.assign(make("img", "viewer__wave"), { src: wave, alt: "The sound's wave" });
  if (picture) picture.onerror = () => picture.remove();
  return make("div", "viewer__sound", picture || make("div", "viewer__sign", icon("sound")), player);
}

function makeText(input) {
  const sheet = make("div", "viewer__text");
  Object.assign(sheet, { tabIndex: 0, ariaLabel: `Text of ${input.name}`, role: "region" });
  sheet.dataset.scrolls = "";
  if (input.facts.excerpt) sheet.append(make("p", "viewer__excerpt", input.facts.excerpt));
  readText(input.original).then(
    (text) => sheet.replaceChildren(text ? drawText(text.slice(0, TEXT_SHOWN)) : make("p", "muted", "An empty text."), text.length > TEXT_SHOWN ? make("p", "muted", "Here its first million characters end. Save it to have all.") : ""),
    () => sheet.append(make("p", "muted", "The rest cannot be read now. Reload the page, then try again.")),
  );
  return sheet;
}

async function readText(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.text();
}

function makeWaiting({ status_words: said, is_under_way: isComing, source_url: url }) {
  const title = isComing ? "It is being fetched" : "It could not be fetched";
  const body = make("div", "viewer__none empty", make("span", "empty__icon", icon(isComing ? "clock" : "alert")), make("h2", "empty__title", title));
  if (said) body.append(make("p", "", said));
  if (url) body.append(make("p", "viewer__long", url));
  return body;
}

function words(text, { original, size }) {
  const link = original && Object.assign(make("a", "button", `Save it${size ? `, ${bytes(size)}` : ""}`), { href: `${original}?save` });
  return make("div", "viewer__none empty", make("span", "empty__icon", icon("file")), make("p", "", text), link || "");
}
