/* An array without its numbers: shape, type, statistics, and a small picture of one plane; a single row as a line. */
import { make, makeSvg } from "../dom.js";
import { figure, value as shown } from "../format.js";
import { num } from "../state/plain.js";

const NO_VALUE = 255;

export function drawArray({ ndarray }) {
  const list = make("dl", "facts");
  for (const [name, fact] of factsOf(ndarray)) list.append(make("div", "", make("dt", "", name), make("dd", "", fact)));
  return make("div", "array", drawPicture(ndarray), list);
}

function factsOf({ shape, dtype, min, max, mean, std, not_finite }) {
  const sizes = Array.isArray(shape) ? shape.map(String).join(" × ") : "";
  const figures = { min, max, mean, "std. dev.": std };
  const known = Object.entries(figures).filter(([, fact]) => num(fact) !== null).map(([name, fact]) => [name, shown(fact)]);
  const facts = [["shape", sizes || "one number"], ["type", String(dtype ?? "unknown")], ...known];
  return num(not_finite) ? [...facts, ["not finite", figure(not_finite)]] : facts;
}

function drawPicture({ picture, min, max }) {
  const [rows, columns] = picture?.size ?? [0, 0];
  const codes = readCodes(picture?.data);
  if (!rows || codes.length !== rows * columns) return null;
  const range = `from ${shown(num(min))} to ${shown(num(max))}`;
  const name = `${rows === 1 ? "Line" : "Heat map"} of ${rows === 1 ? "" : `${rows} × `}${columns} values${picture.plane ? ` of ${picture.plane}` : ""}, ${range}`;
  const drawing = rows === 1 ? drawLine(codes) : drawMap(codes, rows, columns);
  drawing.setAttribute("role", "img");
  drawing.setAttribute("aria-label", name);
  const ends = make("span", "array__ends", shown(num(min)), make("span", "array__ramp"), shown(num(max)));
  if (picture.plane) ends.append(make("span", "array__plane", String(picture.plane)));
  return make("figure", "array__figure", drawing, ends);
}

function readCodes(data) {
  try {
    return Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

/** Ink by value on nothing: the sheet gives the colour, so both themes and print work. */
function drawMap(codes, rows, columns) {
  const canvas = Object.assign(make("canvas"), { width: columns, height: rows });
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(columns, rows);
  codes.forEach((code, i) => (pixels.data[i * 4 + 3] = code === NO_VALUE ? 0 : code + 1));
  context.putImageData(pixels, 0, 0);
  const map = make("div", "array__map");
  map.style.setProperty("--map", `url(${canvas.toDataURL()})`);
  map.style.setProperty("aspect-ratio", `${columns} / ${rows}`);
  return map;
}

function drawLine(codes) {
  const svg = makeSvg("svg", { class: "array__line", viewBox: `0 0 ${Math.max(codes.length - 1, 1)} 254`, preserveAspectRatio: "none" });
  let [path, isDown] = ["", false];
  codes.forEach((code, x) => {
    if (code !== NO_VALUE) path += `${isDown ? "L" : "M"}${x} ${254 - code}h0.001`;
    isDown = code !== NO_VALUE;
  });
  svg.append(makeSvg("path", { d: path }));
  return svg;
}
