/* JSON as its editor reads it: as in Python also with NaN and Infinity, whole numbers of any size, and, where it is
   wrong, the line and column with what is wanted there. Numbers that a browser would get wrong are {number: "…"}. */
const DEPTH = 200;
const PLAIN_NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /-?[A-Za-z_][\w-]*/y;
const LONG = /\d{16}|Infinity|NaN/;
const WORDS = { true: true, false: false, null: null };
const NUMBERS = { NaN: "nan", Infinity: "inf", "-Infinity": "-inf" };

/** {value} | {mistake: {words, at, line, column}}. */
export function parseJson(text) {
  if (!LONG.test(text)) {
    try {
      return { value: JSON.parse(text) };
    } catch {
      // The reader below finds out where, and says what is wanted.
    }
  }
  const reader = new Reader(text);
  try {
    return { value: reader.readAll() };
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    const before = text.slice(0, error.at).split("\n");
    return { mistake: { words: error.message, at: error.at, line: before.length, column: [...before.at(-1)].length + 1 } };
  }
}

class Mistake extends Error {
  constructor(words, at) {
    super(words);
    this.at = at;
  }
}

class Reader {
  #text;
  #at = 0;
  #depth = 0;

  constructor(text) {
    this.#text = text;
  }

  readAll() {
    const value = this.#value("a value is missing");
    this.#skip();
    if (this.#at < this.#text.length) this.#fail("nothing more may come after the value");
    return value;
  }

  #fail(words, at = this.#at) {
    throw new Mistake(words, at);
  }

  #skip() {
    while (" \t\r\n".includes(this.#text[this.#at] || "x")) this.#at += 1;
  }

  #value(missing) {
    this.#skip();
    const sign = this.#text[this.#at];
    if (sign === undefined) this.#fail(missing);
    if (sign === "{") return this.#nested(() => this.#object());
    if (sign === "[") return this.#nested(() => this.#list());
    if (sign === '"') return this.#string();
    if (sign === "'") this.#fail('text stands in double quotes: "…"');
    return this.#number() ?? this.#word();
  }

  #nested(read) {
    this.#depth += 1;
    if (this.#depth > DEPTH) this.#fail(`it is nested deeper than ${DEPTH} levels`);
    this.#at += 1;
    const value = read();
    this.#depth -= 1;
    return value;
  }

  #object() {
    const entries = [];
    for (;;) {
      this.#skip();
      if (this.#text[this.#at] === "}" && !entries.length) break;
      if (this.#text[this.#at] === "}") this.#fail("after the last entry stands no comma", this.#comma);
      if (this.#text[this.#at] !== '"') this.#fail('a name in double quotes is wanted, or }');
      const name = this.#string();
      this.#skip();
      if (this.#text[this.#at] !== ":") this.#fail("a colon is wanted after the name");
      this.#at += 1;
      entries.push([name, this.#value("a value is missing after the colon")]);
      if (this.#ends("}")) break;
    }
    this.#at += 1;
    return Object.fromEntries(entries);
  }

  #list() {
    const items = [];
    for (;;) {
      this.#skip();
      if (this.#text[this.#at] === "]" && !items.length) break;
      if (this.#text[this.#at] === "]") this.#fail("after the last item stands no comma", this.#comma);
      items.push(this.#value("the list is not closed: ] is wanted"));
      if (this.#ends("]")) break;
    }
    this.#at += 1;
    return items;
  }

  #comma = 0;

  #ends(close) {
    this.#skip();
    if (this.#text[this.#at] === close) return true;
    if (this.#text[this.#at] !== ",") this.#fail(`a comma or ${close} is wanted`);
    this.#comma = this.#at;
    this.#at += 1;
    return false;
  }

  #string() {
    const start = this.#at;
    for (this.#at += 1; this.#text[this.#at] !== '"'; this.#at += 1) {
      if (this.#text[this.#at] === undefined || this.#text[this.#at] === "\n") this.#fail("the text is not closed: \" is wanted", start);
      if (this.#text[this.#at] === "\\") this.#at += 1;
    }
    this.#at += 1;
    try {
      return JSON.parse(this.#text.slice(start, this.#at));
    } catch {
      return this.#fail("this text has a sign that must be written with a backslash, like \\n or \\\\", start);
    }
  }

  #number() {
    PLAIN_NUMBER.lastIndex = this.#at;
    const found = PLAIN_NUMBER.exec(this.#text)?.[0];
    if (!found) return undefined;
    this.#at += found.length;
    if (/[\w.]/.test(this.#text[this.#at] ?? "")) this.#fail("this is no number that JSON knows", this.#at - found.length);
    const isExact = !/^-?\d+$/.test(found) || Number.isSafeInteger(Number(found));
    return isExact ? Number(found) : { number: found };
  }

  #word() {
    WORD.lastIndex = this.#at;
    const found = WORD.exec(this.#text)?.[0];
    if (found in NUMBERS) {
      this.#at += found.length;
      return { number: NUMBERS[found] };
    }
    if (!found) this.#fail("a value is wanted");
    if (!Object.hasOwn(WORDS, found)) {
      const lower = found.toLowerCase();
      const meant = Object.hasOwn(WORDS, lower) ? lower : lower === "none" ? "null" : "";
      this.#fail(meant ? `write ${meant}, not ${found}` : `${found.slice(0, 20)} is no value; text stands in double quotes`);
    }
    this.#at += found.length;
    return WORDS[found];
  }
}

/** JSON as people read it, with the numbers that were written out for the browser's sake as numbers again. */
export function writeJson(value, indent = 2, within = "") {
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return value.toExponential(); // written out, it would be another number
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (isGreatNumber(value)) return { nan: "NaN", inf: "Infinity", "-inf": "-Infinity" }[value.number] ?? value.number;
  const deeper = within + " ".repeat(indent);
  const isList = Array.isArray(value);
  const parts = isList
    ? value.map((item) => writeJson(item, indent, deeper))
    : Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${writeJson(item, indent, deeper)}`);
  const [open, close] = isList ? "[]" : "{}";
  if (!parts.length) return open + close;
  const isShort = isList && parts.join(", ").length < 60 && value.every((item) => item === null || typeof item !== "object");
  return isShort ? `[${parts.join(", ")}]` : `${open}\n${deeper}${parts.join(`,\n${deeper}`)}\n${within}${close}`;
}

function isGreatNumber(value) {
  const names = Object.keys(value);
  return names.length === 1 && names[0] === "number" && /^(nan|-?inf|-?\d{16,})$/.test(value.number);
}
