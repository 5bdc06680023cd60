/* A table of comma separated values, read to its end: quotes, doubled quotes, line ends of every kind; tabs or semicolons too. */

const SEPARATORS = [",", ";", "\t"];

/** {header, rows: [{line, cells}]}; throws an Error that names the line. */
export function readCsv(text) {
  const clean = text.replace(/^\uFEFF/, "");
  const separator = guess(clean);
  const rows = [];
  let cells = [];
  let cell = "";
  let at = 0;
  let line = 1;
  let began = 1;
  const endCell = () => {
    cells.push(cell);
    cell = "";
  };
  const endRow = () => {
    endCell();
    if (cells.length > 1 || cells[0].trim()) rows.push({ line: began, cells });
    cells = [];
  };
  while (at < clean.length) {
    const character = clean[at];
    if (character === '"' && cell === "") {
      const from = line;
      at += 1;
      for (;;) {
        const end = clean.indexOf('"', at);
        if (end < 0) throw new Error(`Line ${from}: a quote is opened and never closed.`);
        cell += clean.slice(at, end);
        line += clean.slice(at, end).split("\n").length - 1;
        at = end + 1;
        if (clean[at] !== '"') break;
        cell += '"';
        at += 1;
      }
    } else if (character === separator) {
      endCell();
      at += 1;
    } else if (character === "\n" || character === "\r") {
      at += character === "\r" && clean[at + 1] === "\n" ? 2 : 1;
      endRow();
      line += 1;
      began = line;
    } else {
      cell += character;
      at += 1;
    }
  }
  if (cell || cells.length) endRow();
  const [head, ...body] = rows;
  return { header: (head?.cells ?? []).map((name) => name.trim().toLowerCase()), rows: body };
}

function guess(text) {
  const head = text.slice(0, text.search(/[\r\n]|$/));
  const counts = SEPARATORS.map((one) => head.split(one).length);
  return SEPARATORS[counts.indexOf(Math.max(...counts))];
}

const NAMES = {
  url: ["url", "image_url", "link"],
  text: ["text"],
  either: ["input"],
  id: ["id", "inputid", "input_id"],
  name: ["name", "file", "filename"],
  concepts: ["concepts", "concept", "label", "labels"],
  datasets: ["dataset", "datasets"],
  metadata: ["metadata"],
};

/** What the rows ask to be added, and in words which of them cannot be: {items, mistakes}. */
export function readInputs(text) {
  const { header, rows } = readCsv(text);
  const column = Object.fromEntries(Object.entries(NAMES).map(([kind, names]) => [kind, header.findIndex((name) => names.includes(name))]));
  if (column.url < 0 && column.text < 0 && column.either < 0) {
    throw new Error("The first line must name the columns, and one of them be url, text or input.");
  }
  const items = [];
  const mistakes = [];
  for (const { line, cells } of rows) {
    try {
      items.push(readRow(column, cells));
    } catch (error) {
      mistakes.push(`Line ${line}: ${error.message}`);
    }
  }
  return { items, mistakes };
}

function readRow(column, cells) {
  const of = (kind) => (column[kind] >= 0 ? (cells[column[kind]] ?? "").trim() : "");
  const either = of("either");
  const url = of("url") || (isUrl(either) ? either : "");
  const text = of("text") || (isUrl(either) ? "" : either);
  if (!url && !text) throw new Error("there is neither a URL nor a text.");
  if (url && !isUrl(url)) throw new Error(`${url.slice(0, 60)} does not begin with http:// or https://.`);
  return {
    ...(url ? { url } : { text }),
    id: of("id"),
    name: of("name"),
    concepts: words(of("concepts")),
    datasets: words(of("datasets")),
    metadata: readMetadata(of("metadata")),
  };
}

export function isUrl(text) {
  return /^https?:\/\/[^\s/]+/i.test(text);
}

/** Names between commas, each once. */
export function words(text) {
  return [...new Set(text.split(/[,;\n]/).map((word) => word.trim()).filter(Boolean))];
}

/** JSON, or lines like `key = value`. Throws an Error in words. */
export function readMetadata(text) {
  if (!text.trim()) return {};
  if (text.trim().startsWith("{")) {
    try {
      return JSON.parse(text);
    } catch {
      throw new Error("the metadata is no JSON object.");
    }
  }
  const pairs = text.split("\n").filter((line) => line.trim()).map((line) => {
    const at = line.indexOf("=");
    if (at < 1) throw new Error(`metadata “${line.trim().slice(0, 40)}” is not like key = value.`);
    return [line.slice(0, at).trim(), plain(line.slice(at + 1).trim())];
  });
  return Object.fromEntries(pairs);
}

function plain(text) {
  return /^(-?\d+(\.\d+)?|true|false|null)$/.test(text) ? JSON.parse(text) : text;
}
