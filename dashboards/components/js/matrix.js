// Matrix: characters × scene types with live cells, keyboard, selection and an estimate that follows it.
import { html, raw, icon, shape, kbd, stack, thumb, filmstrip, grow, button, iconButton, chip, check, segmented, emptyState, attrs, percent, gpuHours, hhmm, many, WORDS, ORDER } from "./kit.js";
import { checkActions, checkButton, checkPanel } from "./preflight.js";

const HOT = new Set(["rejected", "failed", "blocked", "generating", "review"]);
const VIRTUAL_FROM = 40, ROW = 51, SPARE = 8;

const keyOf = (row, type) => `${row.id}|${type.id}`;

function filtered(app) {
  const { rows } = app.state;
  const { status, find } = app.local;
  return rows.filter((row) => (!find || row.name.toLowerCase().includes(find.toLowerCase())) && (!status || row.cells.some((cell) => cell.scenes.some((scene) => scene.status === status))));
}

function shown(app) {
  const variant = app.local.variant || "all";
  return app.state.variants.map((v, i) => ({ ...v, i })).filter((v) => variant === "all" || v.name === variant);
}

function cellBox(app, row, r, type, c, variants) {
  const cell = row.cells[c];
  const selected = app.local.selection.has(keyOf(row, type));
  const current = app.local.at[0] === r && app.local.at[1] === c;
  const lines = variants.map((variant) => {
    const scene = cell.scenes[variant.i];
    const word = scene.status === "generating" && scene.progress !== null ? html`<b class="med tnum">${percent(scene.progress)}</b>` : WORDS[scene.status];
    return html`<div class="vl st-${scene.status}" title="${variant.label}${scene.reason && `: ${scene.reason}`}"><span class="vk">${variant.letter}</span>${shape(scene.status)}<span class="vw ell ${HOT.has(scene.status) ? "hot" : ""}">${word}</span></div>`;
  });
  return html`<div class="cellbox ${selected ? "sel" : ""} ${current ? "cur" : ""} ${cell.selectable ? "" : "still"}" role="gridcell" aria-selected="${selected}" data-key="${keyOf(row, type)}" data-cell="${r},${c}" ${attrs("cell", [r, c])}>${filmstrip(cell.strip, cell.strip_frames)}<div class="vls">${lines}</div>${selected && html`<span class="tick">${icon("check")}</span>`}</div>`;
}

function rowHead(row) {
  const sub = row.notice ? html`<span class="row g1 st-${row.notice.status}">${shape(row.notice.status)}<span class="c ell">${row.notice.text}</span></span>` : row.sub;
  return html`<a class="mc" href="/character?character=${row.id}" data-key="head-${row.id}">${thumb(row.thumb, { width: 34, height: 44, position: "50% 20%" })}<div class="grow"><div class="row between"><b class="med ell">${row.name}</b><span class="xs muted tnum">${row.approved}/${row.total}</span></div><div class="xs muted ell">${sub}</div></div></a>`;
}

function body(app, rows, variants) {
  const types = app.state.scene_types;
  const virtual = rows.length > VIRTUAL_FROM;
  const first = virtual ? Math.max(0, Math.floor((app.local.scroll || 0) / ROW) - SPARE) : 0;
  const last = virtual ? Math.min(rows.length, first + Math.ceil((app.local.height || 800) / ROW) + 2 * SPARE) : rows.length;
  const spacer = (n, key) => n > 0 && html`<div class="spacer" data-key="${key}" style="height:${n * ROW}px"></div>`;
  return html`${spacer(first, "above")}${rows.slice(first, last).map((row, i) => html`${rowHead(row)}${types.map((type, c) => cellBox(app, row, first + i, type, c, variants))}`)}${spacer(rows.length - last, "below")}`;
}

function selectionBar(app) {
  const { selection, estimate, tier } = app.local;
  if (!selection.size) return "";
  const e = estimate;
  const facts = e && html`<div class="sums"><div class="row"><b class="strong">${many(e.scenes, "scene")}</b><span class="muted">·</span><span class="tnum"><b class="strong">~${gpuHours(e.gpu_s)}</b> <span class="muted">(${gpuHours(e.gpu_low_s)} – ${gpuHours(e.gpu_high_s)})</span></span>${e.done_at && html`<span class="muted">·</span><span class="tnum">done by <b class="strong">${hhmm(e.done_at)}</b></span>`}</div><div class="xs muted ell">${many(e.takes, "take")}${e.basis && ` · ${e.basis}`}${e.blocked.length > 0 && ` · ${e.blocked[0]}`}</div></div>`;
  const tiers = app.state.tiers.length > 1 && segmented(app.state.tiers.map((t) => [t.id, t.name]), tier || app.state.tier, "tier");
  return html`<div class="float" data-key="selection" role="toolbar"><span class="row g1">${check("mixed")}<b class="strong">${many(selection.size, "cell")}</b></span><span class="vr"></span>${facts || html`<span class="muted sums">Estimating…</span>`}<span class="vr"></span>${tiers}${button(e ? `Submit ${many(e.scenes, "scene")}` : "Submit", { act: "submit", cls: "primary", keys: ["⌘⏎"], disabled: !e || !e.scenes || !app.state.may_submit })}${iconButton("x", "Clear selection", "clear", null, { size: "sm" })}</div>`;
}

function header(app) {
  const { counts, rows, scene_types: types, variants } = app.state;
  const total = ORDER.reduce((sum, key) => sum + (counts[key] || 0), 0);
  const bits = ORDER.filter((key) => counts[key]).map((key) => html`<span class="row g1 xs" data-key="${key}">${shape(key)}<b class="med tnum">${counts[key]}</b><span class="muted">${WORDS[key].toLowerCase()}</span></span>`);
  return html`<div class="head"><h1>Matrix</h1><span class="facts">${rows.length} × ${types.length} × ${variants.length} = <b class="secondary med">${many(total, "scene")}</b></span><span class="mstack">${stack(counts)}</span><div class="row bits">${bits}</div>${grow}${checkButton(app)}</div>`;
}

function toolbar(app) {
  const { variants, counts } = app.state;
  const present = ORDER.filter((key) => counts[key]);
  return html`<div class="toolbar">${segmented([["all", "All variants"], ...variants.map((v) => [v.name, `${v.letter} ${v.label}`])], app.local.variant || "all", "variant")}<span class="vline"></span>${present.map((key) => chip(html`${shape(key)}${WORDS[key]}`, "status", key, { on: app.local.status === key }))}${grow}<label class="input find">${icon("search", "xs")}<input id="matrix-find" placeholder="Filter characters" data-input="find_" value="${app.local.find || ""}">${kbd("F")}</label></div>`;
}

function refreshEstimate(app) {
  clearTimeout(app.local.timer);
  if (!app.local.selection.size) { app.local.estimate = null; return; }
  app.local.timer = setTimeout(async () => {
    const cells = [...app.local.selection].map((key) => key.split("|"));
    const wanted = cells.length;
    const estimate = await app.ask("estimate", { cells, tier: app.local.tier || app.state.tier });
    if (wanted === app.local.selection.size) app.set({ estimate });
  }, 60);
}

function toggle(app, r, c, { on } = {}) {
  const row = filtered(app)[r];
  const type = app.state.scene_types[c];
  if (!row || !row.cells[c].selectable) return;
  const key = keyOf(row, type);
  const selection = app.local.selection;
  if (on ?? !selection.has(key)) selection.add(key); else selection.delete(key);
}

function range(app, [r0, c0], [r1, c1]) {
  for (let r = Math.min(r0, r1); r <= Math.max(r0, r1); r += 1) for (let c = Math.min(c0, c1); c <= Math.max(c0, c1); c += 1) toggle(app, r, c, { on: true });
}

function move(app, dr, dc, extend) {
  const rows = filtered(app).length, columns = app.state.scene_types.length;
  const [r, c] = app.local.at;
  const next = [Math.min(rows - 1, Math.max(0, r + dr)), Math.min(columns - 1, Math.max(0, c + dc))];
  if (extend) { app.local.anchor ||= [r, c]; range(app, app.local.anchor, next); refreshEstimate(app); } else app.local.anchor = null;
  app.local.at = next;
  app.drawNow();
  document.querySelector(`[data-cell="${next}"]`)?.scrollIntoView({ block: "nearest" });
}

function openCell(app) {
  const [r, c] = app.local.at;
  const scenes = filtered(app)[r]?.cells[c].scenes || [];
  const scene = scenes.find((s) => s.status === "review" && s.id) || scenes.find((s) => s.id);
  if (scene) app.open(`/review?scene=${scene.id}`);
}

const step = (dr, dc) => ({ key: (app) => move(app, dr, dc, false), extend: (app) => move(app, dr, dc, true) });
const arrows = { ArrowUp: step(-1, 0), ArrowDown: step(1, 0), ArrowLeft: step(0, -1), ArrowRight: step(0, 1) };

export const matrix = {
  title: () => "Matrix",
  crumbs: (app) => ["Matrix", app.local.variant && app.local.variant !== "all" ? app.state.variants.find((v) => v.name === app.local.variant).label : "All variants"],
  help: [["↑ ↓ ← →", "Move"], ["Space", "Select the cell"], ["⇧ + arrow", "Extend the selection"], ["⌘A", "Select the column"], ["⏎", "Open the scene"], ["F", "Filter characters"], ["C", "Check where the scenes can run"], ["⌘⏎", "Submit the selection"], ["Esc", "Clear the selection"]],
  opened: (app) => { Object.assign(app.local, { selection: new Set(), at: [0, 0], anchor: null }); },
  keys: {
    ...Object.fromEntries(Object.entries(arrows).flatMap(([name, { key, extend }]) => [[name, key], [`Shift+${name}`, extend]])),
    " ": (app) => { toggle(app, ...app.local.at); refreshEstimate(app); },
    "Meta+a": (app) => { filtered(app).forEach((_, r) => toggle(app, r, app.local.at[1], { on: true })); refreshEstimate(app); },
    Enter: openCell,
    c: (app) => matrix.actions.check(app),
    f: () => document.getElementById("matrix-find").focus(),
    "Meta+Enter": (app) => matrix.actions.submit(app),
    Escape: (app) => matrix.actions.clear(app),
  },
  actions: {
    ...checkActions,
    cell: (app, [r, c], event) => {
      const before = app.local.at;
      app.local.at = [r, c];
      if (event?.shiftKey) range(app, before, [r, c]);
      else if (event?.detail === 2) { openCell(app); return; } else toggle(app, r, c);
      refreshEstimate(app);
    },
    column: (app, c) => { const all = filtered(app).every((row) => !row.cells[c].selectable || app.local.selection.has(keyOf(row, app.state.scene_types[c]))); filtered(app).forEach((_, r) => toggle(app, r, c, { on: !all })); refreshEstimate(app); },
    variant: (app, name) => app.set({ variant: name }),
    status: (app, key) => app.set({ status: app.local.status === key ? null : key }),
    find_: (app, text) => app.set({ find: text }),
    noFilter: (app) => app.set({ find: "", status: null }),
    tier: (app, tier) => { app.local.tier = tier; refreshEstimate(app); },
    clear: (app) => { app.local.selection.clear(); app.local.estimate = null; },
    submit: (app) => {
      if (!app.local.selection.size || !app.state.may_submit) return;
      app.act("submit", { cells: [...app.local.selection].map((key) => key.split("|")), tier: app.local.tier || app.state.tier });
      matrix.actions.clear(app);
    },
  },
  drawn: (app) => {
    const box = document.querySelector(".mscroll");
    if (!box || box.onscroll) return;
    app.local.height = box.clientHeight;
    box.onscroll = () => { if (app.state.rows?.length > VIRTUAL_FROM) app.set({ scroll: box.scrollTop, height: box.clientHeight }); };
  },
  render: (app) => {
    const { scene_types: types, rows, prerequisites } = app.state;
    if (!rows.length || !types.length) return html`<div class="head"><h1>Matrix</h1></div><div class="page"><section class="panel full">${emptyState({ title: rows.length ? "No scene types yet" : "No characters yet", text: "The matrix is characters × scene types × variants. Import portraits and load scene types, then choose what to make.", command: rows.length ? "x121 scene-type load" : "x121 import PROJECT FOLDER --dry-run" })}</section></div>`;
    const list = filtered(app), variants = shown(app);
    const heads = types.map((type, c) => html`<div class="mh" data-key="type-${type.id}"><button type="button" class="row g1" title="Select the column" ${attrs("column", c)}>${check(false)}<b class="med ell">${type.name}</b></button><span class="xs muted wide">${type.sub}</span></div>`);
    const strip = prerequisites.length > 0 && html`<div class="prereq st-warning">${shape("warning")}<b class="med">${many(prerequisites.length, "prerequisite")}</b>${prerequisites.slice(0, 3).map((p) => html`<span class="row g1">${shape(p.status)}<span class="secondary">${p.text}</span>${p.href && html`<a class="lnk" href="${p.href}">${p.link}</a>`}</span>`)}</div>`;
    const nothing = list.length === 0 && emptyState({ title: "No character matches", text: `${many(rows.length, "character")} in this project; the filters hide all of them.`, actions: button("Clear filters", { act: "noFilter" }), art: false });
    return html`${header(app)}${toolbar(app)}${strip}${checkPanel(app)}<div class="mscroll"><div class="mgrid" role="grid" style="--types:${types.length};--lines:${variants.length}"><div class="mh first"><b class="med">Character</b><span class="xs muted">${list.length}</span></div>${heads}${body(app, list, variants)}</div>${nothing}</div>${selectionBar(app)}`;
  },
};
