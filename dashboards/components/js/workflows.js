// Workflows: versions, the graph on a canvas coloured by measured time, slots, runs, workers.
import { html, raw, icon, shape, badge, tag, grow, button, iconButton, segmented, emptyState, callout, attrs, ago, percent, many } from "./kit.js";
import { trialActions, trialRows, tryButton } from "./trials.js";

const SMALLEST = 0.04, LARGEST = 2, MARGIN = 28;
const seconds = (s) => (s === null || s === undefined ? "–" : s >= 100 ? `${s.toFixed(0)} s` : `${s.toFixed(1)} s`);
const chosen = (app) => app.state.chosen;
// What the comparison with another version says of a node: a letter, a colour and a word, so that none is needed alone.
const MARKS = { added: ["+", "approved", "Added"], removed: ["−", "failed", "Removed"], changed: ["~", "warning", "Changed"] };
const markTone = (mark) => `var(--status-${MARKS[mark][1]})`;
const markSign = (mark) => html`<b class="dmark st-${MARKS[mark][1]}" title="${MARKS[mark][2]}">${MARKS[mark][0]}</b>`;
const picked = (app) => chosen(app)?.nodes.find((n) => n.id === app.local.node);

// Sequential ramp by log time up to the longest: grey, cyan, amber, red.
function heat(s, longest) {
  const at = Math.min(0.999, Math.log10(1 + s) / Math.log10(1 + Math.max(longest, 0.001)));
  const stops = ["var(--p-neutral-600)", "var(--p-cyan-400)", "var(--p-amber-400)", "var(--p-red-400)"], i = Math.floor(at * 3);
  return `color-mix(in oklab, ${stops[i + 1]} ${Math.round((at * 3 - i) * 100)}%, ${stops[i]})`;
}
const longestOf = (d) => Math.max(0, ...d.nodes.map((n) => n.seconds || 0));
const colour = (n, longest) => (n.seconds === null ? "var(--border-strong)" : heat(n.seconds, longest));

function go(app, query) {
  const href = `/workflows?${new URLSearchParams(query)}`;
  history.replaceState({}, "", href);
  app.open(href, { push: false });
}

// ---------------------------------------------------------------- the canvas: one 2D picture, moved by one transform
const FAR = 0.4; // below this zoom, text is too small to read and is left out

function way(d, from, to, bends) {
  const half = d.node_height / 2, points = [[from.x + d.node_width, from.y + half], ...bends, [to.x, to.y + half]];
  const path = new Path2D();
  path.moveTo(...points[0]);
  points.slice(1).forEach(([x, y], i) => {
    const [px, py] = points[i], lean = (x - px) * 0.5;
    path.bezierCurveTo(px + lean, py, x - lean, y, x, y);
  });
  return path;
}

// What the style sheets say, as the canvas needs it: every colour resolved, the two fonts.
function paints(box) {
  const probe = box.appendChild(document.createElement("i")), root = getComputedStyle(document.documentElement), kept = new Map();
  const paint = (text) => { if (!kept.has(text)) { probe.style.color = text; kept.set(text, getComputedStyle(probe).color); } return kept.get(text); };
  const named = (name) => paint(`var(--${name})`);
  return { paint, done: () => probe.remove(), sans: root.getPropertyValue("--font-sans"), mono: root.getPropertyValue("--font-mono"), raised: named("surface-raised"), edge: named("border-default"), wire: named("border-strong"), track: named("surface-active"), text: named("text-primary"), muted: named("text-muted"), accent: named("accent-strong"), line: named("accent"), ring: named("focus-ring"), ink: named("surface-primary") };
}

class Canvas {
  constructor(app, box) {
    Object.assign(this, { app, box, at: { x: 0, y: 0, k: 1 }, held: null, frame: 0, cut: new Map() });
    box.innerHTML = "<canvas></canvas>";
    this.face = box.firstChild;
    this.pen = this.face.getContext("2d");
    box.addEventListener("pointerdown", (e) => { this.held = { x: e.clientX, y: e.clientY, far: 0 }; box.setPointerCapture(e.pointerId); });
    box.addEventListener("pointermove", (e) => this.drag(e));
    box.addEventListener("pointerup", (e) => { const h = this.held; this.held = null; box.classList.remove("held"); if (h && h.far < 4) app.set({ node: this.under(e)?.id || null }); });
    box.addEventListener("wheel", (e) => { e.preventDefault(); const r = box.getBoundingClientRect(); this.zoom(Math.exp(-e.deltaY * (e.deltaMode ? 0.05 : 0.0015)), e.clientX - r.left, e.clientY - r.top); }, { passive: false });
    this.sees = new ResizeObserver(() => { if (this.touched) this.move(); else this.fit(); });
    this.sees.observe(box);
    document.fonts.ready.then(() => { this.cut.clear(); this.move(); });
  }

  show(d, plain, node) {
    const root = document.documentElement, look = ["data-scheme", "data-palette", "data-contrast"].map((name) => root.getAttribute(name));
    const key = [d.id, d.n_measured, d.total_s, plain, d.difference?.number, d.nodes.map((n) => n.slots).join(), ...look].join(" ");
    if (this.key === key && this.node === node) return;
    if (this.id !== d.id) this.touched = false;
    if (this.key !== key) this.load(d, plain);
    Object.assign(this, { key, id: d.id, node });
    if (this.touched) this.move(); else this.fit();
  }

  load(d, plain) {
    const paint = paints(this.box), longest = longestOf(d), most = Math.max(0.001, ...d.nodes.map((n) => n.share));
    const by = new Map(d.nodes.map((n) => [n.id, n]));
    this.d = d; this.paint = paint;
    this.wires = d.links.map(([a, b, , bends]) => [a, b, way(d, by.get(a), by.get(b), bends)]);
    this.all = new Path2D();
    this.wires.forEach(([, , path]) => this.all.addPath(path));
    this.nodes = d.nodes.map((n) => {
      const tone = n.mark ? markTone(n.mark) : plain ? "var(--border-strong)" : colour(n, longest);
      const told = n.mark === "changed" && n.changes.length ? `${n.changes[0][0]} ${n.changes[0][1]} → ${n.changes[0][2]}${n.changes.length > 1 ? ` +${n.changes.length - 1}` : ""}` : n.mark ? MARKS[n.mark][2].toLowerCase() : "";
      return { ...n, told, tone: paint.paint(tone), head: paint.paint(`color-mix(in srgb, ${tone} 18%, var(--surface-raised))`), fill: n.seconds === null || plain ? 0 : Math.max(0.015, n.share / most), time: n.seconds === null ? "no time yet" : seconds(n.seconds), slot: n.slots.length ? `${n.slots[0]}${n.slots.length > 1 ? ` +${n.slots.length - 1}` : ""}` : "" };
    });
    paint.done();
  }

  under(e) {
    const r = this.box.getBoundingClientRect(), x = (e.clientX - r.left - this.at.x) / this.at.k, y = (e.clientY - r.top - this.at.y) / this.at.k;
    return this.nodes.find((n) => x >= n.x && y >= n.y && x <= n.x + this.d.node_width && y <= n.y + this.d.node_height);
  }

  drag(e) {
    const h = this.held;
    if (!h) return;
    const dx = e.clientX - h.x, dy = e.clientY - h.y;
    h.far += Math.abs(dx) + Math.abs(dy); h.x = e.clientX; h.y = e.clientY;
    if (h.far >= 4) { this.box.classList.add("held"); this.pan(dx, dy); }
  }

  // The editor of the chosen node's slots stays at the node.
  place() {
    const card = document.getElementById("ncard"), n = card && this.nodes?.find((node) => node.id === this.node);
    if (!n) return;
    const { x, y, k } = this.at, w = this.box.clientWidth, h = this.box.clientHeight, wide = card.offsetWidth, tall = card.offsetHeight;
    const below = (n.y + this.d.node_height) * k + y + 8;
    card.style.left = `${Math.max(8, Math.min(w - wide - 8, n.x * k + x))}px`;
    card.style.top = `${Math.max(8, Math.min(h - tall - 8, below))}px`;
  }

  pan(dx, dy) { this.touched = true; this.at.x += dx; this.at.y += dy; this.move(); }

  zoom(by, x = this.box.clientWidth / 2, y = this.box.clientHeight / 2) {
    const k = Math.min(LARGEST, Math.max(SMALLEST, this.at.k * by)), f = k / this.at.k;
    this.touched = true;
    this.at = { k, x: x - (x - this.at.x) * f, y: y - (y - this.at.y) * f };
    this.move();
  }

  fit() {
    const w = this.box.clientWidth, h = this.box.clientHeight;
    if (!this.d || !w || !h) return;
    const k = Math.min(1, Math.max(SMALLEST, Math.min((w - 2 * MARGIN) / (this.d.width || 1), (h - 120) / (this.d.height || 1))));
    this.at = { k, x: (w - this.d.width * k) / 2, y: (h - this.d.height * k) / 2 };
    this.move();
  }

  reveal(n) {
    const { k } = this.at, w = this.box.clientWidth, h = this.box.clientHeight, x = n.x * k + this.at.x, y = n.y * k + this.at.y;
    if (x < 0 || y < 50 || x + this.d.node_width * k > w || y + this.d.node_height * k > h - 50) { this.touched = true; this.at = { k, x: w / 2 - (n.x + this.d.node_width / 2) * k, y: h / 2 - (n.y + this.d.node_height / 2) * k }; this.move(); }
  }

  move() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      if (this.d) this.draw();
      this.place();
      const { x, y, k } = this.at, label = document.querySelector(".fzoom");
      this.box.dataset.liveView = [x, y, k].map((n) => n.toFixed(3)).join(" ");
      if (label) label.textContent = percent(k);
    });
  }

  draw() {
    const { pen, at, paint } = this, scale = devicePixelRatio || 1, w = this.box.clientWidth, h = this.box.clientHeight;
    if (this.face.width !== Math.round(w * scale) || this.face.height !== Math.round(h * scale)) { this.face.width = Math.round(w * scale); this.face.height = Math.round(h * scale); }
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.face.width, this.face.height);
    pen.setTransform(at.k * scale, 0, 0, at.k * scale, at.x * scale, at.y * scale);
    pen.lineWidth = Math.max(1.5, 0.8 / at.k);
    pen.strokeStyle = paint.wire;
    pen.stroke(this.all);
    pen.lineWidth = Math.max(2.5, 1.4 / at.k);
    pen.strokeStyle = paint.line;
    if (this.node) this.wires.forEach(([a, b, path]) => { if (a === this.node || b === this.node) pen.stroke(path); });
    const left = -at.x / at.k, top = -at.y / at.k, right = left + w / at.k, bottom = top + h / at.k;
    for (const n of this.nodes) if (n.x < right && n.y < bottom && n.x + this.d.node_width > left && n.y + this.d.node_height > top) this.drawNode(n, at.k < FAR);
  }

  drawNode(n, far) {
    const { pen, paint } = this, w = this.d.node_width, h = this.d.node_height, { x, y } = n;
    pen.fillStyle = paint.raised;
    pen.fillRect(x, y, w, h);
    pen.fillStyle = n.head;
    pen.fillRect(x, y, w, far ? h : 28);
    pen.fillStyle = n.tone;
    pen.fillRect(x, y, w, far ? 8 : 3);
    if (!far) {
      this.words(n, w);
      pen.fillStyle = paint.track;
      pen.fillRect(x + 9, y + h - 12, w - 18, 4);
      pen.fillStyle = n.tone;
      pen.fillRect(x + 9, y + h - 12, (w - 18) * n.fill, 4);
    }
    pen.lineWidth = n.id === this.node ? Math.max(2, 2 / this.at.k) : 1;
    if (n.mark && n.id !== this.node) pen.lineWidth = Math.max(2, 1.5 / this.at.k);
    pen.strokeStyle = n.id === this.node ? paint.ring : n.mark ? n.tone : paint.edge;
    if (n.mark === "removed") pen.setLineDash([6, 4]);
    pen.strokeRect(x, y, w, h);
    pen.setLineDash([]);
  }

  words(n, w) {
    const { pen, paint } = this, { x, y } = n, timed = n.seconds !== null;
    this.write(n.name, `500 13px ${paint.sans}`, paint.text, x + 9, y + 20, w - (n.mark ? 42 : 18));
    if (n.mark) this.sign(n, x + w - 20, y + 15);
    this.write(n.kind, `12px ${paint.mono}`, paint.muted, x + 9, y + 44, w - 18);
    if (n.told) { this.write(n.told, `500 12px ${paint.mono}`, paint.text, x + 9, y + 62, w - 18); return; }
    const wide = this.write(n.time, `${timed ? 500 : 400} 12px ${paint.mono}`, timed ? paint.text : paint.muted, x + 9, y + 62, w - 18);
    if (timed && n.share >= 0.02) this.write(percent(n.share), `12px ${paint.mono}`, paint.muted, x + 15 + wide, y + 62, 40);
    if (!n.slot) return;
    pen.textAlign = "right";
    this.write(n.slot, `500 12px ${paint.mono}`, paint.accent, x + w - 9, y + 62, w - 18 - wide - (timed && n.share >= 0.02 ? 46 : 10));
    pen.textAlign = "left";
  }

  sign(n, x, y) {
    const { pen, paint } = this;
    pen.fillStyle = n.tone;
    pen.beginPath();
    pen.arc(x + 5, y, 8, 0, 7);
    pen.fill();
    pen.textAlign = "center";
    this.write(MARKS[n.mark][0], `700 13px ${paint.mono}`, paint.ink, x + 5, y + 5, 16);
    pen.textAlign = "left";
  }

  // Text cut to a width; each cut is worked out once. Returns its width.
  write(text, font, paint, x, y, width) {
    const { pen } = this, key = `${font}|${width | 0}|${text}`;
    pen.font = font;
    if (!this.cut.has(key)) {
      let shown = text;
      while (shown && pen.measureText(shown === text ? text : `${shown}…`).width > width) shown = shown.slice(0, -1);
      shown = shown === text ? text : `${shown}…`;
      this.cut.set(key, [shown, pen.measureText(shown).width]);
    }
    const [shown, wide] = this.cut.get(key);
    pen.fillStyle = paint;
    pen.fillText(shown, x, y);
    return wide;
  }
}

// ---------------------------------------------------------------- beside and below it
const section = (title, more, body) => html`<section><header class="row"><h2>${title}</h2>${grow}${more}</header>${body}</section>`;

function slotRow(app, s) {
  return html`<div class="srow" data-key="slot-${s.name}-${s.node_id}-${s.input}" ${attrs("pick", s.node_id)}>${shape(s.hidden ? "none" : "approved")}<div class="grow"><div class="row between"><b class="mono med ell">${s.name}</b><span class="row g1">${s.hidden && tag("hidden")}${tag(s.kind)}</span></div><div class="xs muted ell" title="${s.default}">${s.label && html`${s.label} · `}${s.set_by.length ? html`set by ${s.set_by.join(", ")}` : s.default || "empty in the file"}</div></div></div>`;
}

// ---------------------------------------------------------------- slots, edited on the node
const keyOfSlot = (s) => `${s.node_id}/${s.input}`;
const reference = (d) => `${d.name}@${d.number}`;

function slotField(app, s, field, label, value, { options = null, hint = "" } = {}) {
  const fault = app.local.fault?.key === keyOfSlot(s) && app.local.fault.field === field ? app.local.fault : null;
  const own = html`class="input ${fault ? "err" : ""}" name="${field}" data-slot="${keyOfSlot(s)}" aria-label="${label} of ${s.name}" data-change="slotField" ${raw(app.state.may_manage ? "" : "disabled")} ${fault && raw('aria-invalid="true"')}`;
  const shown = fault ? fault.value : value;
  const control = options ? html`<select ${own}>${options.map((o) => html`<option value="${o}" ${raw(o === shown ? "selected" : "")}>${o}</option>`)}</select>` : html`<input autocomplete="off" value="${shown}" ${own}>`;
  return html`<label class="fld" data-key="${field}-${keyOfSlot(s)}"><span class="xs muted">${label}${hint && html` <span class="mono">${hint}</span>`}</span>${control}${fault && html`<span class="xs serr" role="alert">${fault.text}</span>`}</label>`;
}

function slotEditor(app, s) {
  const options = s.choices.length ? [...new Set([s.default, ...s.choices])] : null, may = app.state.may_manage;
  return html`<div class="sedit ${s.hidden ? "off" : ""}" data-key="edit-${keyOfSlot(s)}"><div class="row between"><span class="mono xs muted ell">${s.input}</span><span class="row g1">${s.hidden && tag("hidden")}${s.added && tag("added")}${tag(s.kind)}</span></div>${slotField(app, s, "name", "Name", s.name)}${slotField(app, s, "default", "Default", s.default, { options, hint: s.choices.length ? "" : s.range })}${slotField(app, s, "label", "Label", s.label)}<div class="row g1">${button(s.hidden ? "Show" : "Hide", { act: "slotHide", arg: keyOfSlot(s), cls: "sm", disabled: !may, title: s.hidden ? "Let it be set again" : "Nobody may set it; the default is sent" })}${s.own_default && button("File's default", { act: "slotFile", arg: keyOfSlot(s), cls: "sm", disabled: !may, title: s.value })}${s.added && button("Remove", { act: "slotRemove", arg: keyOfSlot(s), cls: "sm danger-quiet", disabled: !may })}${grow}<span class="xs muted ell">${s.set_by.length ? `set by ${s.set_by.join(", ")}` : ""}</span></div></div>`;
}

function nodeCard(app, n) {
  const own = chosen(app).slots.filter((s) => s.node_id === n.id);
  if (!own.length) return "";
  return html`<div class="ncard" id="ncard" role="dialog" aria-label="Slots of ${n.name}" data-key="card-${n.id}"><header class="row"><b class="med ell">${n.name}</b>${grow}${iconButton("x", "Close  Esc", "pick", null)}</header>${own.map((s) => slotEditor(app, s))}</div>`;
}

const slotAt = (app, key) => chosen(app).slots.find((s) => keyOfSlot(s) === key);

async function askSlot(app, name, args, fault = null) {
  const value = await app.ask(name, { version: reference(chosen(app)), ...args });
  app.local.fault = value?.problem && fault ? { ...fault, text: value.problem.text } : null;
  if (value?.problem && !fault) app.toast({ text: value.problem.text, more: value.problem.hint, status: "failed" });
  if (value?.text) {
    const undo = value.undo && { act: "undoSlot", arg: { ...value.undo, version: reference(chosen(app)), node_id: args.node_id }, label: "Undo", key: "⌘Z" };
    app.toast({ text: value.text, status: "approved", seconds: 10, action: undo || null });
  }
  app.draw();
}

const editSlot = (app, s, changes, fault) => askSlot(app, "edit_slot", { slot: s.name, node_id: s.node_id, changes }, fault);

function nodePart(app, n) {
  const d = chosen(app), own = d.slots.filter((s) => s.node_id === n.id);
  return html`<section><header class="row"><h2 class="ell">${n.name}</h2>${grow}${iconButton("x", "Back to the workflow  Esc", "pick", null)}</header><div class="mono xs muted">${n.kind} · node ${n.id.replace("removed:", "")}</div>${n.mark && html`<div class="row mt">${markSign(n.mark)}<span class="med">${MARKS[n.mark][2]}</span><span class="xs muted">against v${d.difference.number}</span></div>${n.changes.map(([what, was, now]) => html`<div class="chg xs"><span class="mono muted">${what}</span><span class="mono"><del>${was}</del> → <b>${now}</b></span></div>`)}`}<dl class="kv mt"><dt>Median</dt><dd class="mono">${seconds(n.seconds)}</dd><dt>10 % to 90 %</dt><dd class="mono">${n.seconds === null ? "–" : `${seconds(n.low_s)} – ${seconds(n.high_s)}`}</dd><dt>Part of the take</dt><dd class="mono">${percent(n.share)}</dd></dl></section>
${own.length > 0 && section("Slots", "", own.map((s) => slotRow(app, s)))}
${section("Values in the file", "", n.values.length ? html`<dl class="kv vals">${n.values.map(([name, value]) => html`<dt class="mono ell">${app.state.may_manage && !n.mark.startsWith("rem") && !own.some((s) => s.input === name) && iconButton("plus", `Make ${name} a slot`, "slotAdd", [n.id, name], { size: "sm", cls: "tiny" })}${name}</dt><dd class="mono ell" title="${value}">${value}</dd>`)}</dl>` : html`<p class="xs muted">All its inputs are links.</p>`)}`;
}

function differences(app, d) {
  const f = d.difference;
  const counts = Object.keys(MARKS).filter((mark) => f[mark]).map((mark) => html`${markSign(mark)}<span class="xs">${f[mark]}</span>`);
  return section(`Against v${f.number}`, html`<span class="row g1">${counts}</span>`, f.rows.length ? f.rows.map((r) => html`<div class="srow" data-key="diff-${r.id}" ${attrs("pick", r.id)}>${markSign(r.mark)}<div class="grow"><b class="med ell">${r.name}</b>${r.lines.slice(0, 3).map((line) => html`<div class="xs mono muted ell" title="${line}">${line}</div>`)}${!r.lines.length && html`<div class="xs muted">${MARKS[r.mark][2]}</div>`}</div></div>`) : html`<p class="xs muted">Both versions do the same.</p>`);
}

function side(app) {
  const d = chosen(app), n = picked(app), now = app.now();
  const ready = d.workers.filter((w) => w.status === "approved").length;
  const lack = (w) => [...w.classes.map((c) => `node ${c}`), ...w.models.map((f) => `model ${f}`), ...w.problems];
  return html`<aside class="side wfside">${n ? nodePart(app, n) : html`${d.difference && differences(app, d)}${section("Slots", html`<span class="xs muted">what X121 fills in</span>`, d.slots.length ? d.slots.map((s) => slotRow(app, s)) : html`<p class="xs muted">Nothing in this graph can be set from outside.</p>`)}
${section("Workers", html`<span class="xs muted">${ready} of ${d.workers.length} ready</span>`, d.workers.length ? d.workers.map((w) => html`<div class="srow" data-key="worker-${w.name}"><b class="mono med wname ell">${w.name}</b><div class="grow">${badge(w.status, w.word, { plain: true })}<div class="xs muted ell" title="${lack(w).join(", ")}">${w.status === "none" ? "Its nodes were not read yet" : w.status === "approved" ? `${many(w.n_classes, "node class", "node classes")}, ${many(w.n_models, "model")}` : `lacks ${lack(w).join(", ")}`}</div></div></div>`) : html`<p class="xs muted">No worker is known.</p>`)}
${section("Dry runs", tryButton(app), trialRows(app, d))}
${section("Used by", html`<span class="xs muted">${d.used_by.length || ""}</span>`, d.used_by.length ? html`<div class="row wrap g1">${d.used_by.map((name) => tag(name))}</div>` : html`<p class="xs muted">No scene type refers to this version.</p>`)}
${section("Runs", html`<span class="xs muted">the newest</span>`, d.runs.length ? d.runs.map((r) => html`<a class="srow" href="/review?scene=${r.scene_id}" data-key="run-${r.id}">${shape(r.status)}<div class="grow"><div class="row between"><span class="ell med">${r.name}</span><span class="mono xs">${r.seconds === null ? r.word : seconds(r.seconds)}</span></div><div class="xs muted ell">${r.take}${r.worker && ` · ${r.worker}`} · ${ago(r.at, now)}</div></div></a>`) : html`<p class="xs muted">No take was made with it yet.</p>`)}`}</aside>`;
}

function timeStrip(app) {
  const d = chosen(app), longest = longestOf(d), list = d.nodes.filter((n) => n.seconds).sort((a, b) => b.seconds - a.seconds);
  const head = html`<div class="row xs"><span class="sub">Where the time goes</span><span class="muted">${d.n_measured ? `median of ${many(d.n_measured, "take")}` : ""}</span>${grow}${d.total_s !== null && html`<span class="muted">Sum</span><b class="mono med">${seconds(d.total_s)}</b>`}</div>`;
  if (!list.length) return html`<div class="tstrip">${head}<p class="xs muted">Times appear here when a take was made with this version.</p></div>`;
  const small = list.filter((n) => n.share < 0.04);
  return html`<div class="tstrip">${head}<div class="tsbar">${list.slice(0, 40).map((n) => html`<button type="button" class="${n.id === app.local.node ? "on" : ""}" data-key="time-${n.id}" title="${n.name}: ${seconds(n.seconds)}" aria-label="${n.name}: ${seconds(n.seconds)}" style="flex:${n.seconds.toFixed(3)} 0 0;background:${heat(n.seconds, longest)}" ${attrs("pick", n.id)}>${n.share >= 0.08 && html`<span class="ell">${n.name}</span><span class="mono">${seconds(n.seconds)}</span>`}</button>`)}</div><div class="row xs muted">${small.length > 0 && html`<span>${many(small.length, "node")} of less than 4 %: <b class="mono med secondary">${seconds(small.reduce((sum, n) => sum + n.seconds, 0))}</b></span>`}</div></div>`;
}

function pick(app, id) {
  app.set({ node: id });
  const n = chosen(app)?.nodes.find((node) => node.id === id);
  if (n) app.canvas?.reveal(n);
}

// The nearest node in a direction: distance along it, and twice the distance across.
function step(app, dx, dy) {
  const d = chosen(app), from = picked(app);
  if (!d) return;
  if (!from) { pick(app, d.nodes[0]?.id); return; }
  const near = d.nodes.map((n) => [(n.x - from.x) * dx + (n.y - from.y) * dy, Math.abs((n.x - from.x) * dy) + Math.abs((n.y - from.y) * dx), n]).filter(([along]) => along > 1).sort((a, b) => a[0] + 2 * a[1] - b[0] - 2 * b[1]);
  if (near.length) pick(app, near[0][2].id);
}

const actions = {
  ...trialActions,
  slotField: (app, value, event) => {
    const s = slotAt(app, event.target.dataset.slot), field = event.target.name;
    if (s && value !== s[field]) editSlot(app, s, { [field]: value }, { key: keyOfSlot(s), field, value }); else app.local.fault = null;
  },
  slotHide: (app, key) => { const s = slotAt(app, key); if (s) editSlot(app, s, { is_hidden: !s.hidden }); },
  slotFile: (app, key) => { const s = slotAt(app, key); if (s) editSlot(app, s, { default: null }); },
  slotAdd: (app, [node, input]) => askSlot(app, "add_slot", { node_id: node, input_name: input }),
  slotRemove: (app, key) => { const s = slotAt(app, key); if (s) askSlot(app, "remove_slot", { slot: s.name, node_id: s.node_id }); },
  undoSlot: async (app, { name, ...args }) => {
    app.ui.toasts = app.ui.toasts.filter((t) => t.action?.arg?.slot !== args.slot);
    const value = await app.ask(name, args);
    app.local.fault = null;
    app.toast(value?.problem ? { text: value.problem.text, more: value.problem.hint, status: "failed" } : { text: "Taken back", status: "approved" });
  },
  pick: (app, id) => pick(app, id),
  workflow: (app, name) => go(app, { workflow: name }),
  version: (app, number) => go(app, { workflow: chosen(app).name, version: number }),
  against: (app, number) => go(app, { workflow: chosen(app).name, version: chosen(app).number, ...(number ? { against: number } : {}) }),
  colours: (app, which) => app.set({ plain: which === "plain" }),
  zoomIn: (app) => app.canvas?.zoom(1.25), zoomOut: (app) => app.canvas?.zoom(0.8), fit: (app) => { if (app.canvas) { app.canvas.touched = false; app.canvas.fit(); } },
};

const turn = (app, by) => {
  const list = app.state.rows, next = list[list.findIndex((r) => r.name === chosen(app)?.name) + by];
  if (next) go(app, { workflow: next.name });
};

export const workflows = {
  title: () => "Workflows",
  crumbs: (app) => (chosen(app) ? ["Workflows", chosen(app).name, `v${chosen(app).number}`] : ["Workflows"]),
  help: [["← → ↑ ↓", "Go from node to node"], ["+ −", "Zoom"], ["0", "Show all"], ["T", "Colour by time or plain"], ["[ ]", "Workflow before, after"], ["Esc", "No node"]],
  commands: (app) => app.state.rows.map((r) => ({ label: `Open workflow ${r.name}`, act: "workflow", arg: r.name, icon: "workflow" })),
  keys: {
    ArrowLeft: (app) => step(app, -1, 0), ArrowRight: (app) => step(app, 1, 0), ArrowUp: (app) => step(app, 0, -1), ArrowDown: (app) => step(app, 0, 1),
    "+": actions.zoomIn, "=": actions.zoomIn, "Shift++": actions.zoomIn, "-": actions.zoomOut, 0: actions.fit, t: (app) => app.set({ plain: !app.local.plain }),
    "[": (app) => turn(app, -1), "]": (app) => turn(app, 1), Escape: (app) => app.set({ node: null }),
  },
  actions,
  closed: (app) => { app.canvas?.sees.disconnect(); app.canvas = null; },
  changed: (app) => { if (app.local.node && !picked(app)) app.local.node = null; },
  drawn: (app) => {
    const box = document.getElementById("fcanvas"), d = chosen(app);
    if (!box || !d) return;
    if (app.canvas?.box !== box) { app.canvas?.sees.disconnect(); app.canvas = new Canvas(app, box); }
    app.canvas.show(d, Boolean(app.local.plain || d.difference), app.local.node || null);
    app.canvas.place();
  },
  render: (app) => {
    const d = chosen(app), rows = app.state.rows;
    if (!d) return html`<div class="head"><h1>Workflows</h1></div><div class="page">${emptyState({ title: "No workflow is known yet", text: "A workflow comes with the scene type that uses it, or by itself from a file that ComfyUI exported.", command: "x121 scene-type load dance.toml" })}</div>`;
    const own = rows.find((r) => r.name === d.name), failing = d.workers.filter((w) => w.status === "failed").length;
    return html`<div class="head"><select class="input wfpick" aria-label="Workflow" data-change="workflow">${rows.map((r) => html`<option value="${r.name}" ${raw(r.name === d.name ? "selected" : "")}>${r.name}</option>`)}</select><select class="input vpick" aria-label="Version" data-change="version">${own.versions.map((v) => html`<option value="${v.number}" ${raw(v.number === d.number ? "selected" : "")}>v${v.number} · ${v.word}</option>`)}</select>${own.versions.length > 1 && html`<select class="input vpick" aria-label="Compare with" data-change="against"><option value="">Compare with…</option>${own.versions.filter((v) => v.number !== d.number).map((v) => html`<option value="${v.number}" ${raw(v.number === d.difference?.number ? "selected" : "")}>Against v${v.number}</option>`)}</select>`}<span class="facts">${many(d.nodes.filter((n) => n.mark !== "removed").length, "node")} · ${many(d.links.length, "link")} · used by ${many(d.used_by.length, "recipe")}</span>${badge(d.status, d.word)}${failing > 0 && badge("warning", `${many(failing, "worker")} can not run it`)}${grow}${segmented([["time", "Time"], ["plain", "Plain"]], app.local.plain ? "plain" : "time", "colours")}</div>
<div class="wf"><div class="canvas" data-bleed><div id="fcanvas" class="fbox" data-live="canvas" role="img" aria-label="Graph of ${d.name}: ${many(d.nodes.length, "node")}"></div>
${d.difference && html`<div class="cv tl">${Object.entries(MARKS).map(([mark, [, , word]]) => html`${markSign(mark)}<span class="xs">${word} ${d.difference[mark]}</span>`)}</div>`}
${!app.local.plain && !d.difference && d.n_measured > 0 && html`<div class="cv tr"><span class="xs muted">0 s</span><span class="ramp">${[0.02, 0.12, 0.25, 0.4, 0.55, 0.7, 0.85, 1].map((p) => html`<i style="background:${heat(10 ** (p * Math.log10(1 + longestOf(d))) - 1, longestOf(d))}"></i>`)}</span><span class="xs muted">${seconds(longestOf(d))}</span></div>`}
${picked(app) && nodeCard(app, picked(app))}<div class="cv br">${iconButton("minus", "Zoom out  −", "zoomOut")}<span class="xs tnum secondary fzoom" data-live="zoom"></span>${iconButton("plus", "Zoom in  +", "zoomIn")}${iconButton("maximize", "Show all  0", "fit")}</div></div>${side(app)}${timeStrip(app)}</div>`;
  },
};
