// Text into elements: every value is escaped unless it was made by html`…` itself.

class Raw {
  constructor(text) { this.text = text; }
  toString() { return this.text; }
}

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

export const esc = (value) => String(value).replace(/[&<>"']/g, (letter) => ENTITIES[letter]);

function flat(value) {
  if (value === null || value === undefined || value === false || value === true) return "";
  if (Array.isArray(value)) return value.map(flat).join("");
  return value instanceof Raw ? value.text : esc(value);
}

export function html(strings, ...values) {
  let text = strings[0];
  values.forEach((value, index) => { text += flat(value) + strings[index + 1]; });
  return new Raw(text);
}

export const raw = (text) => new Raw(text);

// ---------------------------------------------------------------- patching: change what differs, keep the rest

const keyOf = (node) => (node.nodeType === 1 ? node.getAttribute("data-key") || node.id || "" : "");

function sameKind(a, b) { return a.nodeType === b.nodeType && a.nodeName === b.nodeName; }

function morphAttributes(from, to) {
  for (const { name, value } of [...to.attributes]) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name) && !name.startsWith("data-live") && !(name === "style" && from.hasAttribute("data-scrub"))) from.removeAttribute(name);
}

function morphNode(from, to) {
  if (from.nodeType !== 1) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return;
  }
  if (from.isEqualNode(to) || from.hasAttribute("data-live")) return; // what is live belongs to its script
  const focused = from === document.activeElement && /^(INPUT|TEXTAREA|SELECT)$/.test(from.nodeName);
  morphAttributes(from, to);
  if (!focused && from.nodeName === "INPUT" && to.hasAttribute("value")) from.value = to.getAttribute("value");
  if (from.hasAttribute("data-keep")) return;
  morphChildren(from, to);
  if (!focused && from.nodeName === "SELECT") { // options that move in one by one change what is chosen
    const chosen = from.querySelector("option[selected]");
    if (chosen) chosen.selected = true;
  }
}

export function morphChildren(from, to) {
  const keyed = new Map();
  for (const child of from.childNodes) { const key = keyOf(child); if (key) keyed.set(key, child); }
  let current = from.firstChild;
  for (let next = to.firstChild, after; next; next = after) {
    after = next.nextSibling;
    const key = keyOf(next);
    let match = null;
    if (key && keyed.has(key) && sameKind(keyed.get(key), next)) {
      match = keyed.get(key);
      keyed.delete(key);
      if (match === current) current = current.nextSibling; else from.insertBefore(match, current);
    } else if (!key && current && !keyOf(current) && sameKind(current, next)) {
      match = current;
      current = current.nextSibling;
    }
    if (match) morphNode(match, next); else from.insertBefore(next, current);
  }
  while (current) { const gone = current; current = current.nextSibling; gone.remove(); }
}

export function patch(element, markup) {
  const template = document.createElement("template");
  template.innerHTML = String(markup);
  morphChildren(element, template.content);
}
