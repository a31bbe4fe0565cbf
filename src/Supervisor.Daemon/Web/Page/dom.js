// Elements. What comes from the daemon becomes a text node or an attribute's value, never markup.

const byId = id => document.getElementById(id);

const SVG = "http://www.w3.org/2000/svg";

/** Makes an element; children are elements and texts, and null is left out. */
function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same in an SVG drawing. */
function drawing(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    setAttribute(node, name, value);
  }
  node.append(...children.filter(child => child != null));
  return node;
}

/** Changes an attribute only where it differs; null, undefined and false remove it. */
function setAttribute(node, name, value) {
  if (value == null || value === false) {
    node.removeAttribute(name);
  } else if (node.getAttribute(name) !== String(value === true ? "" : value)) {
    node.setAttribute(name, value === true ? "" : value);
  }
}

/** Changes a text only where it differs, so a screen reader and a selection stay undisturbed. */
function setText(node, text) {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}

/**
 * Makes the children of a node those of the items, in their order. Nodes are reused by key, and the focus stays where it is.
 * `make(item)` makes a node, `update(node, item)` brings it up to date.
 */
function sync(parent, items, key, make, update) {
  const known = parent.nodesByKey ?? new Map();
  const focused = document.activeElement;
  const wanted = new Map(items.map(item => [key(item), item]));
  known.forEach((node, id) => wanted.has(id) || node.remove());
  let next = parent.firstElementChild;
  parent.nodesByKey = new Map();
  for (const [id, item] of wanted) {
    const node = known.get(id) ?? make(item);
    parent.nodesByKey.set(id, node);
    update(node, item);
    if (node === next) {
      next = next.nextElementSibling;
    } else {
      parent.insertBefore(node, next);
    }
  }
  if (focused !== document.activeElement && focused?.isConnected) {
    focused.focus({ preventScroll: true });
  }
}

/** A pill with a state in words. */
const makePill = () => element("span", { class: "pill" });

function setPill(pill, state, tone = toneOf(state)) {
  setText(pill, state);
  setAttribute(pill, "data-tone", tone);
}

/** A table with a caption for screen readers and its column headers; "#" before a header makes a column of numbers. */
function makeTable(caption, headers) {
  const cells = headers.map(header => element(
    "th", { scope: "col", class: header.startsWith("#") ? "number" : null }, header.replace("#", "")));
  const body = element("tbody");
  const table = element("table", {}, element("caption", {}, caption), element("thead", {}, element("tr", {}, ...cells)), body);
  return { table, body };
}

/** A row of texts; the first one is the row's header. */
function makeRow(texts, numbers = []) {
  return element("tr", {}, ...texts.map((text, i) => element(
    i === 0 ? "th" : "td", { scope: i === 0 ? "row" : null, class: numbers.includes(i) ? "number" : null }, text)));
}

function setRow(row, texts) {
  texts.forEach((text, i) => setText(row.children[i], text));
}

/**
 * A list that shows some of its rows and more on request, so a thousand cost no more than fifty. `open` has the keys of the rows that
 * show their details.
 */
function makeBoundedList(name, render) {
  const list = { name, most: 50, open: new Set(), rows: byId(`${name}-rows`) };
  byId(`${name}-more`).addEventListener("click", () => {
    list.most += 100;
    render();
  });
  byId(`${name}-filter`).addEventListener("input", render);
  byId(`${name}-filter`).addEventListener("submit", event => event.preventDefault());
  return list;
}

/** Shows the count, the button for more, and a text where nothing matches. Returns the items to show. */
function bound(list, items, all, nothing) {
  const { name, most } = list;
  setText(byId(`${name}-count`), items.length === all ? number(all) : `${number(items.length)} of ${number(all)}`);
  const more = byId(`${name}-more`);
  more.hidden = items.length <= most;
  setText(more, `Show more (${number(Math.max(0, items.length - most))} are not shown)`);
  const empty = byId(`${name}-empty`);
  empty.hidden = items.length > 0;
  setText(empty, all === 0 ? nothing : "Nothing matches the filter.");
  byId(`${name}-table`).hidden = items.length === 0;
  return items.slice(0, most);
}

/** The first cell of a row that can show details: a button with the name. */
function makeOpener(list, key, render) {
  const button = element("button", { type: "button", class: "opener", "aria-expanded": "false" }, key);
  button.addEventListener("click", () => {
    list.open.has(key) ? list.open.delete(key) : list.open.add(key);
    render();
  });
  return button;
}
