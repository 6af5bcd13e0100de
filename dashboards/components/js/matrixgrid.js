// The matrix as a grid of any size: only what can be seen stands in the page; details and pictures follow when it rests.
import { html, icon, shape, thumb, filmstrip, attrs, check, percent, WORDS } from "./kit.js";
import { needMark } from "./proposal.js";

export const LETTERS = { a: "approved", r: "review", g: "generating", p: "pending", x: "rejected", f: "failed", b: "blocked", n: "none" };
const HOT = new Set(["rejected", "failed", "blocked", "generating", "review"]);
const HEADS = 32, LINE = 15, LOW = 51, NARROW = 196, WIDE = 320, SPARE_ROWS = 4, SPARE_COLUMNS = 1;
const REST_MS = 90, APART_MS = 250, GOING_MS = 1000, KEPT = 6000;

export const keyOf = (row, type) => `${row.id}|${type.id}`;

// ---------------------------------------------------------------- what is shown
export const letterOf = (app, row, type, k) => app.state.statuses[row.i][type.i * app.state.variants.length + k];

export function variantsShown(app) {
  const variant = app.local.variant || "all";
  return app.state.variants.map((v, i) => ({ ...v, i })).filter((v) => variant === "all" || v.name === variant);
}

// A cell's letters of the variants that are shown.
export const lettersOf = (app, row, type, variants) => variants.map((v) => letterOf(app, row, type, v.i)).filter((l) => l && l !== ".");

// Rows and columns that the filters let through; worked out again only where the view or a filter changed.
export function listed(app) {
  const { local, state } = app, now = [state.characters, state.scene_types, state.statuses, state.stamp, local.find, local.status, local.variant];
  if (!local.listed || now.some((part, i) => part !== local.listed.of[i])) local.listed = { of: now, list: filter(app) };
  return local.listed.list;
}

function filter(app) {
  const { characters, scene_types: types } = app.state;
  const find = (app.local.find || "").toLowerCase(), status = app.local.status;
  const has = (name) => !find || name.toLowerCase().includes(find);
  const rows = characters.map((row, i) => ({ ...row, i })), columns = types.map((type, i) => ({ ...type, i }));
  const byName = rows.filter((row) => has(row.name)), byType = columns.filter((type) => has(type.name));
  const letter = status && Object.keys(LETTERS).find((key) => LETTERS[key] === status), variants = variantsShown(app);
  let kept = byName.length || !byType.length ? byName : rows;
  const shownTypes = byName.length || !byType.length ? columns : byType;
  if (letter) kept = kept.filter((row) => shownTypes.some((type) => variants.some((v) => letterOf(app, row, type, v.i) === letter)));
  return { rows: kept, types: shownTypes, variants, letter };
}

// Cells as the server takes them: the scene types once, and their numbers per character.
export function chosenCells(app) {
  const types = app.state.scene_types.map((type) => type.id), at = new Map(types.map((id, i) => [id, i])), rows = {};
  for (const key of app.local.selection) { const [row, type] = key.split("|"); (rows[row] ||= []).push(at.get(type)); }
  return { types, rows };
}

export const chosenVariants = (app) => (app.local.variant && app.local.variant !== "all" ? [app.local.variant] : []);

// ---------------------------------------------------------------- markup of the parts
function cellMarkup(app, row, type, variants, detail, selected) {
  const lines = variants.map((v) => {
    const status = LETTERS[letterOf(app, row, type, v.i)];
    if (!status) return html`<div class="vl"></div>`;
    const scene = detail?.scenes[v.i];
    const word = status === "generating" && scene && scene.progress !== null ? html`<b class="med tnum">${percent(scene.progress)}</b>` : WORDS[status];
    const why = scene && (status === "blocked" ? scene.lacks : scene.reason);
    return html`<div class="vl st-${status}" title="${v.label}${why && `: ${why}`}"><span class="vk">${v.letter}</span>${shape(status)}<span class="vw ell ${HOT.has(status) ? "hot" : ""}">${word}</span></div>`;
  });
  return [String(filmstrip(detail?.strip, app.local.frames || 12)), String(html`<div class="vls">${lines}</div>${lines.length > 0 && variants.some((v) => "nbfp".includes(letterOf(app, row, type, v.i))) && needMark(detail?.needs)}`), selected ? String(html`<span class="tick">${icon("check")}</span>`) : ""];
}

function headMarkup(app, row, types) {
  let done = 0, all = 0;
  for (const type of types) for (const letter of lettersOf(app, row, type, app.state.variants.map((v, i) => ({ i })))) { all += 1; done += letter === "a"; }
  const sub = row.notice ? html`<span class="row g1 st-${row.notice.status}">${shape(row.notice.status)}<span class="c ell">${row.notice.text}</span></span>` : row.sub;
  return html`<a class="mc" href="/character?character=${row.id}">${thumb(row.thumb, { width: 34, height: 44, position: "50% 20%" })}<div class="grow"><div class="row between"><b class="med ell">${row.name}</b><span class="xs muted tnum">${done}/${all}</span></div><div class="xs muted ell">${sub}</div></div></a><button type="button" class="msel" title="Select the row" aria-label="Select the row ${row.name}" ${attrs("row", row.id)}>${check(false)}</button>`;
}

const typeMarkup = (type) => html`<button type="button" class="row g1" title="Select the column" ${attrs("column", type.id)}>${check(false)}<b class="med ell">${type.name}</b></button><span class="xs muted wide">${type.sub}</span>`;

// ---------------------------------------------------------------- the grid
export class Grid {
  constructor(app, box, on) {
    Object.assign(this, { app, box, on, made: new Map(), cells: new Map(), details: new Map(), asking: false, askedAt: 0, waiting: 0, scrolledAt: 0, frame: 0, serial: 0 });
    box.addEventListener("scroll", () => this.scrolled(), { passive: true });
    for (const name of ["pointerdown", "dblclick"]) box.addEventListener(name, (event) => this[name](event));
    new ResizeObserver(() => this.later()).observe(box);
  }

  // While it moves, no cell answers to the pointer: finding what lies under it costs more than drawing.
  scrolled() {
    this.scrolledAt = performance.now();
    if (!this.pressed) this.box.classList.add("moving");
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.box.classList.remove("moving"), REST_MS);
    this.later();
  }

  later() { this.frame ||= requestAnimationFrame(() => { this.frame = 0; this.draw(); }); }

  // Sizes and what is in sight, in whole rows and columns.
  measure() {
    const { box } = this, list = listed(this.app);
    const head = innerWidth <= 640 ? 116 : 206, row = Math.max(LOW, list.variants.length * LINE + 6);
    const fair = Math.floor((box.clientWidth - head) / Math.max(1, list.types.length));
    const width = Math.min(WIDE, Math.max(NARROW, fair));
    const first = Math.max(0, Math.floor(box.scrollTop / row)), left = Math.max(0, Math.floor(box.scrollLeft / width));
    const last = Math.min(list.rows.length, Math.ceil((box.scrollTop + box.clientHeight - HEADS) / row));
    const right = Math.min(list.types.length, Math.ceil((box.scrollLeft + box.clientWidth - head) / width));
    return { ...list, head, row, width, first, last, left, right };
  }

  draw() {
    if (!this.box.isConnected) return;
    const at = this.at = this.measure(), [plane] = this.box.children, [heads, names, cells] = plane.children;
    const full = at.head + at.types.length * at.width;
    size(plane, full, HEADS + at.rows.length * at.row);
    size(heads, full, HEADS);
    size(names, at.head, 0);
    plane.setAttribute("aria-rowcount", at.rows.length);
    plane.setAttribute("aria-colcount", at.types.length);
    const fresh = new Set();
    this.put(fresh, heads, "corner", "mh first", { width: at.head }, at.rows.length, () => html`<b class="med">Character</b><span class="xs muted">${at.rows.length}</span>`);
    const r0 = Math.max(0, at.first - SPARE_ROWS), r1 = Math.min(at.rows.length, at.last + SPARE_ROWS);
    const c0 = Math.max(0, at.left - SPARE_COLUMNS), c1 = Math.min(at.types.length, at.right + SPARE_COLUMNS);
    for (let c = c0; c < c1; c += 1) this.put(fresh, heads, `type-${at.types[c].id}`, "mh", { left: at.head + c * at.width, width: at.width }, at.types[c], () => typeMarkup(at.types[c]));
    for (let r = r0; r < r1; r += 1) {
      this.put(fresh, names, `head-${at.rows[r].id}`, "mrow", { top: r * at.row, height: at.row, width: at.head }, `${this.app.state.statuses[at.rows[r].i]}${JSON.stringify(at.rows[r].notice)}`, () => headMarkup(this.app, at.rows[r], at.types));
    }
    for (const [key, node] of this.made) if (!fresh.has(key)) { node.remove(); this.made.delete(key); }
    this.drawCells(cells, at, [r0, r1, c0, c1]);
    this.want();
  }

  drawCells(parent, at, [r0, r1, c0, c1]) {
    const keys = new Set(), left = new Map();
    for (let r = r0; r < r1; r += 1) for (let c = c0; c < c1; c += 1) keys.add(keyOf(at.rows[r], at.types[c]));
    for (const [key, node] of this.cells) {
      if (keys.has(key)) continue;
      this.cells.delete(key);
      if (!left.has(node.parts_[1])) left.set(node.parts_[1], []);
      left.get(node.parts_[1]).push(node);
    }
    for (let r = r0; r < r1; r += 1) for (let c = c0; c < c1; c += 1) this.cell(parent, at, [r, c], left);
    for (const nodes of left.values()) for (const node of nodes) node.remove();
  }

  // A cell that enters takes over one that left, best one with the same words: drawing symbols anew costs the most.
  cell(parent, at, [r, c], left) {
    const row = at.rows[r], type = at.types[c], key = keyOf(row, type), { app } = this;
    const selected = app.local.selection.has(key), current = app.local.at[0] === r && app.local.at[1] === c;
    const detail = this.details.get(key), mark = `${at.variants.map((v) => letterOf(app, row, type, v.i) + v.i).join("")}${selected}${detail?.serial}`;
    let node = this.cells.get(key);
    if (node && node.mark_ === mark) { this.dress(node, key, at, [r, c], selected, current); return; }
    const parts = cellMarkup(app, row, type, at.variants, detail, selected);
    if (!node) {
      node = left.get(parts[1])?.pop() || spare(left) || parent.appendChild(cellNode());
      this.cells.set(key, node);
    }
    node.mark_ = mark;
    parts.forEach((text, i) => { if (node.parts_[i] !== text) { node.parts_[i] = text; node.children[i].innerHTML = text; } });
    this.dress(node, key, at, [r, c], selected, current);
  }

  dress(node, key, at, [r, c], selected, current) {
    const cls = `cellbox${selected ? " sel" : ""}${current ? " cur" : ""}`, place = `${r},${c}`;
    if (node.className !== cls) node.className = cls;
    if (node.key_ !== key) { node.key_ = key; node.dataset.key = key; }
    if (node.dataset.cell !== place) node.dataset.cell = place;
    if (node.ariaSelected !== String(selected)) node.ariaSelected = String(selected);
    put(node, "left", at.head + c * at.width);
    put(node, "top", HEADS + r * at.row);
    put(node, "width", at.width);
    put(node, "height", at.row);
  }

  // Make or change one element; its markup is made only where its mark, all that it depends on, differs.
  put(fresh, parent, key, cls, place, mark, markup) {
    fresh.add(key);
    let node = this.made.get(key);
    if (!node) {
      node = document.createElement("div");
      node.dataset.key = key;
      this.made.set(key, node);
      parent.append(node);
    }
    if (node.className !== cls) node.className = cls;
    for (const [side, px] of Object.entries(place)) put(node, side, px);
    if (node.mark_ !== mark) {
      node.mark_ = mark;
      const text = String(markup());
      if (node.text_ !== text) { node.text_ = text; node.innerHTML = text; }
    }
    return node;
  }

  // ---------------------------------------------------------------- details of what is in sight
  stale(key, letters) {
    const found = this.details.get(key);
    if (!found || found.stamp !== this.app.state.stamp) return true;
    return this.app.state.going && letters.includes("g") && performance.now() - found.at > GOING_MS;
  }

  want() {
    clearTimeout(this.waiting);
    const { at } = this, rows = at.rows.slice(at.first, at.last), types = at.types.slice(at.left, at.right);
    if (!rows.length || !types.length || !rows.some((row) => types.some((type) => this.stale(keyOf(row, type), lettersOf(this.app, row, type, at.variants))))) return;
    const now = performance.now(), rest = Math.max(this.scrolledAt + REST_MS - now, this.askedAt + APART_MS - now);
    if (this.asking || rest > 0) { if (!this.asking) this.waiting = setTimeout(() => this.want(), rest); return; }
    this.fetch(rows, types);
  }

  async fetch(rows, types) {
    Object.assign(this, { asking: true, askedAt: performance.now() });
    const stamp = this.app.state.stamp;
    const answer = await this.app.ask("matrix_cells", { characters: rows.map((row) => row.id), types: types.map((type) => type.id) });
    this.asking = false;
    if (answer.problem) { this.askedAt = performance.now() + 5000; return; }
    if (this.details.size > KEPT) this.details.clear();
    this.app.local.frames = answer.strip_frames;
    const now = performance.now();
    for (const [key, cell] of Object.entries(answer.cells)) this.details.set(key, { ...cell, stamp, at: now, serial: (this.serial += 1) });
    for (const row of rows) for (const type of types) if (!answer.cells[keyOf(row, type)]) this.details.set(keyOf(row, type), { strip: null, scenes: [], stamp, at: now });
    this.draw();
    this.on.detailed?.();
  }

  // ---------------------------------------------------------------- keyboard and pointer
  show([r, c]) {
    const at = this.at || this.measure(), { box } = this;
    const top = r * at.row, left = c * at.width;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + at.row > box.scrollTop + box.clientHeight - HEADS) box.scrollTop = top + at.row - box.clientHeight + HEADS;
    if (left < box.scrollLeft) box.scrollLeft = left;
    else if (left + at.width > box.scrollLeft + box.clientWidth - at.head) box.scrollLeft = left + at.width - box.clientWidth + at.head;
  }

  placeOf(event) {
    const cell = document.elementFromPoint(event.clientX, event.clientY)?.closest?.(".cellbox");
    return cell ? cell.dataset.cell.split(",").map(Number) : null;
  }

  dblclick(event) { const place = this.placeOf(event); if (place) this.on.open(place); }

  // A press selects one cell, a drag a rectangle; a finger scrolls and selects with a tap.
  pointerdown(event) {
    const from = this.placeOf(event);
    if (event.button !== 0 || !from) return;
    let to = from, dragged = false;
    this.pressed = true;
    const move = (e) => {
      if (event.pointerType === "touch") { dragged = true; return; }
      this.creep(e);
      const place = this.placeOf(e);
      if (place && String(place) !== String(to)) { to = place; dragged = true; this.on.drag(from, to, event); }
    };
    const done = (e) => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", done);
      removeEventListener("pointercancel", done);
      this.pressed = false;
      if (e.type === "pointerup" && !dragged) this.on.press(from, event);
      this.on.settled();
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", done);
    addEventListener("pointercancel", done);
  }

  creep(event) {
    const edge = this.box.getBoundingClientRect(), step = 24;
    if (event.clientY > edge.bottom - 30) this.box.scrollTop += step;
    if (event.clientY < edge.top + HEADS + 10) this.box.scrollTop -= step;
    if (event.clientX > edge.right - 30) this.box.scrollLeft += step;
    if (event.clientX < edge.left + this.at.head + 10) this.box.scrollLeft -= step;
  }
}

function cellNode() {
  const node = document.createElement("div");
  node.setAttribute("role", "gridcell");
  node.innerHTML = "<span class='part'></span><span class='part'></span><span class='part'></span>";
  node.parts_ = ["", "", ""];
  return node;
}

function spare(left) {
  for (const nodes of left.values()) if (nodes.length) return nodes.pop();
  return null;
}

function put(node, side, px) {
  const name = `at_${side}`;
  if (node[name] !== px) { node[name] = px; node.style[side] = `${px}px`; }
}

function size(node, width, height) { put(node, "width", width); put(node, "height", height); }
