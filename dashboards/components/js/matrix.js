// Matrix: characters × scene types with live cells, keyboard, selection and an estimate that follows it.
import { html, icon, shape, kbd, stack, grow, button, iconButton, chip, check, segmented, emptyState, bytes, gpuHours, hhmm, many, span, WORDS, ORDER } from "./kit.js";
import { checkActions, checkButton, checkPanel } from "./preflight.js";
import { Grid, LETTERS, chosenCells, chosenVariants, keyOf, lettersOf, listed, variantsShown } from "./matrixgrid.js";
import { needsOf, proposalBox, propose } from "./proposal.js";

const GRID = html`<div class="mscroll" data-key="grid" data-live tabindex="-1"><div class="mgrid" role="grid" aria-label="Characters by scene types" aria-multiselectable="true"><div class="mheads"></div><div class="mnames"></div><div class="mcells"></div></div></div>`;

// ---------------------------------------------------------------- what stands around the grid
const ACTIONS = [["submit", "Submit", "n"], ["redo_cells", "Redo failed", "fx"], ["cancel_cells", "Cancel", "pg"]];

// How many scenes of the selection stand where an action can do something; worked out anew when either changes.
function counted(app) {
  const { local, state } = app, mark = `${local.selection.size}/${local.moved || 0}/${state.stamp}/${local.variant || ""}`;
  if (local.counted?.mark === mark && local.counted.statuses === state.statuses) return local.counted.of;
  const rows = new Map(state.characters.map((row, i) => [row.id, { ...row, i }])), types = new Map(state.scene_types.map((type, i) => [type.id, { ...type, i }]));
  const variants = variantsShown(app), found = {};
  for (const key of local.selection) {
    const [row, type] = key.split("|").map((id, at) => (at ? types : rows).get(id));
    if (row && type) for (const letter of lettersOf(app, row, type, variants)) found[letter] = (found[letter] || 0) + 1;
  }
  local.counted = { mark, statuses: state.statuses, of: found };
  return found;
}

// What the same selection costs at each tier, where any of them has a history.
const costs = (e) => (e.tiers.some((t) => t.gpu_s !== null) ? ` · ${e.tiers.map((t) => `${t.name}: ${t.gpu_s === null ? "no history" : `~${gpuHours(t.gpu_s)}`}`).join(", ")}` : "");

function selectionBar(app) {
  const { selection, estimate, tier } = app.local;
  if (!selection.size) return "";
  const e = estimate, letters = counted(app);
  const facts = e && html`<div class="sums"><div class="row"><b class="strong">${many(e.scenes, "scene")}</b><span class="muted">·</span><span class="tnum"><b class="strong">~${gpuHours(e.gpu_s)}</b> <span class="muted">(${gpuHours(e.gpu_low_s)} – ${gpuHours(e.gpu_high_s)})</span></span>${e.done_at && html`<span class="muted">·</span><span class="tnum">done by <b class="strong">${hhmm(e.done_at)}</b></span>`}</div><div class="xs muted ell">${many(e.takes, "take")}${e.basis && ` · ${e.basis}`}${e.disk_bytes !== null && ` · ${bytes(e.disk_bytes)}`}${costs(e)}${e.blocked.length > 0 && ` · ${e.blocked[0]}`}</div></div>`;
  const tiers = app.state.tiers.length > 1 && segmented(app.state.tiers.map((t) => [t.id, t.name]), tier || app.state.tier, "tier");
  const rest = ACTIONS.slice(1).map(([name, label, of]) => { const n = [...of].reduce((sum, letter) => sum + (letters[letter] || 0), 0); return n > 0 && button(html`${label} <b class="tnum">${n}</b>`, { act: name, disabled: !app.state.may_submit, cls: "sm" }); });
  const made = (letters.a || 0) + (letters.r || 0) + (letters.x || 0), at = app.state.tiers.findIndex((t) => t.id === (tier || app.state.tier));
  const higher = made > 0 && at > 0 && button(html`Same at ${app.state.tiers[at].name} <b class="tnum">${made}</b>`, { act: "raise_cells", disabled: !app.state.may_submit, cls: "sm", title: "Made again at this tier with the same workflow version, seeds, prompts and parameters" });
  return html`<div class="float" data-key="selection" role="toolbar" aria-label="Selection"><span class="row g1">${check("mixed")}<b class="strong">${many(selection.size, "cell")}</b></span><span class="vr"></span>${facts || html`<span class="muted sums">Estimating…</span>`}<span class="vr"></span>${tiers}${higher}${rest}${button("Look over", { act: "propose", keys: ["P"], disabled: !app.state.may_submit, title: "See the whole matrix of the selection, and what lacks, before it is submitted" })}${button(e ? `Submit ${many(e.scenes, "scene")}` : "Submit", { act: "submit", cls: "primary", keys: ["⌘⏎"], disabled: !e || !e.scenes || !app.state.may_submit })}${iconButton("x", "Clear selection", "clear", null, { size: "sm" })}</div>`;
}

// ---------------------------------------------------------------- how far the batch is, and what waits for review
function batch(app) {
  const b = app.state.batch;
  if (!b || !b.segments) return "";
  const left = b.left_s === null ? html`<span class="muted" title="No take was measured yet, or no worker is online">time left: unknown</span>` : b.open_takes > 0 && html`<span>about <b class="med tnum">${span(b.left_s)}</b> <span class="muted">left</span></span>`;
  const waits = app.state.counts.review > 0 && button(html`Review <b class="tnum">${app.state.counts.review}</b>`, { act: "groups", keys: ["V"], cls: "sm" });
  const whole = Object.entries(app.state.counts).every(([key, n]) => key === "approved" || !n) && app.state.counts.approved > 0;
  const done = whole && app.state.may_deliver && button("Deliver all", { act: "deliver", icon: "package-check", cls: "primary sm" });
  return html`<div class="mbatch row" data-key="batch"><span><b class="med tnum">${b.approved}</b> <span class="muted">of ${many(b.scenes, "scene")} approved</span></span><span><b class="med tnum">${b.generated}</b> <span class="muted">of ${many(b.segments, "segment")} generated</span></span><span><b class="med tnum">${b.passed}</b> <span class="muted">passed QA</span></span>${left}${grow}${waits}${done}</div>`;
}

function groupPanel(app) {
  if (!app.local.groups) return "";
  const { characters, scene_types: types, variants, statuses } = app.state, by = app.local.groupBy || "character";
  const all = variants.map((v, i) => i), waits = (row, type) => all.reduce((n, k) => n + (statuses[row][type * variants.length + k] === "r"), 0);
  const rows = by === "character" ? characters.map((c, i) => [c, types.reduce((n, _, t) => n + waits(i, t), 0)]) : types.map((t, i) => [t, characters.reduce((n, _, c) => n + waits(c, i), 0)]);
  const found = rows.filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]);
  return html`<section class="panel checks" data-key="groups" role="region" aria-label="Review in groups"><header class="row g2"><h2>Waiting for review</h2>${segmented([["character", "By character"], ["scene_type", "By scene type"]], by, "groupBy")}${grow}${iconButton("x", "Close", "groups")}</header><div class="mgroups">${found.map(([one, n]) => html`<a class="row g1 mgroup" data-key="group-${one.id}" href="/review?group=${by}:${one.id}">${shape("review")}<b class="med ell">${one.name}</b><span class="muted tnum">${n}</span></a>`)}</div></section>`;
}

function header(app) {
  const { counts, characters, scene_types: types, variants } = app.state;
  const total = ORDER.reduce((sum, key) => sum + (counts[key] || 0), 0);
  const bits = ORDER.filter((key) => counts[key]).map((key) => html`<span class="row g1 xs" data-key="${key}">${shape(key)}<b class="med tnum">${counts[key]}</b><span class="muted">${WORDS[key].toLowerCase()}</span></span>`);
  return html`<div class="head"><h1>Matrix</h1><span class="facts">${characters.length} × ${types.length} × ${variants.length} = <b class="secondary med">${many(total, "scene")}</b></span><span class="mstack">${stack(counts)}</span><div class="row bits">${bits}</div>${grow}${checkButton(app)}</div>`;
}

function toolbar(app) {
  const { variants, counts } = app.state;
  const present = ORDER.filter((key) => counts[key]);
  return html`<div class="toolbar">${segmented([["all", "All variants"], ...variants.map((v) => [v.name, `${v.letter} ${v.label}`])], app.local.variant || "all", "variant")}<span class="vline"></span>${present.map((key) => chip(html`${shape(key)}${WORDS[key]}`, "status", key, { on: app.local.status === key }))}${grow}<label class="input find">${icon("search", "xs")}<input id="matrix-find" placeholder="Filter characters or scene types" data-input="find_" value="${app.local.find || ""}">${kbd("F")}</label></div>`;
}

// What the cell under the keyboard's cursor lacks, and the way to solve it.
function current(app, list) {
  const [r, c] = app.local.at, row = list.rows[r], type = list.types[c];
  if (!row || !type || !app.local.grid) return "";
  const scenes = app.local.grid.details.get(keyOf(row, type))?.scenes || [];
  const needs = app.local.grid.details.get(keyOf(row, type))?.needs || [];
  const told = list.variants.map((v) => ({ v, scene: scenes[v.i], status: LETTERS[lettersOf(app, row, type, [v])[0]] })).filter(({ scene, status }) => scene && (status === "failed" ? scene.reason || scene.lacks : status === "blocked" && scene.lacks));
  if (!told.length && !needs.length) return "";
  return html`<div class="prereq mnow" data-key="now" role="status"><b class="med">${row.name} · ${type.name}</b>${told.map(({ v, scene, status }) => html`<span class="row g1">${shape(status)}<span class="secondary">${v.label}: ${scene.reason || scene.lacks}</span>${scene.lacks && html`<a class="lnk" href="${scene.href}">Solve</a><code class="mono xs muted">${scene.command}</code>`}</span>`)}${needsOf(needs)}</div>`;
}

// ---------------------------------------------------------------- selecting
function refreshEstimate(app) {
  app.local.moved = (app.local.moved || 0) + 1;
  clearTimeout(app.local.timer);
  if (!app.local.selection.size) { app.local.estimate = null; return; }
  app.local.timer = setTimeout(async () => {
    const wanted = app.local.selection.size;
    const estimate = await app.ask("estimate", { cells: chosenCells(app), variants: chosenVariants(app), tier: app.local.tier || app.state.tier });
    if (!estimate.problem && wanted === app.local.selection.size) app.set({ estimate });
  }, 60);
}

const changed = (app) => { refreshEstimate(app); app.draw(); };

// Add or take away every cell of a rectangle that has a scene in what is shown.
function mark(app, list, [r0, c0], [r1, c1], on = true) {
  const { selection } = app.local;
  for (let r = Math.min(r0, r1); r <= Math.max(r0, r1); r += 1) {
    for (let c = Math.min(c0, c1); c <= Math.max(c0, c1); c += 1) {
      const row = list.rows[r], type = list.types[c];
      if (!row || !type) continue;
      const letters = lettersOf(app, row, type, list.variants);
      if (!letters.length || (list.letter && !letters.includes(list.letter))) continue;
      if (on) selection.add(keyOf(row, type)); else selection.delete(keyOf(row, type));
    }
  }
}

function toggle(app, place) {
  const list = listed(app), row = list.rows[place[0]], type = list.types[place[1]];
  if (row && type) mark(app, list, place, place, !app.local.selection.has(keyOf(row, type)));
}

// A line is a whole row or column; a second time takes it away again.
function markLine(app, from, to) {
  const list = listed(app), before = app.local.selection.size;
  mark(app, list, from, to);
  if (app.local.selection.size === before) mark(app, list, from, to, false);
  changed(app);
}

function extend(app, to) {
  const { local } = app;
  local.anchor ||= { at: local.at, base: new Set(local.selection) };
  local.selection = new Set(local.anchor.base);
  mark(app, listed(app), local.anchor.at, to);
  local.at = to;
}

function move(app, dr, dc, further) {
  const list = listed(app), [r, c] = app.local.at;
  const next = [Math.min(list.rows.length - 1, Math.max(0, r + dr)), Math.min(list.types.length - 1, Math.max(0, c + dc))];
  if (further) { extend(app, next); refreshEstimate(app); } else { app.local.anchor = null; app.local.at = next; }
  app.local.grid?.show(next);
}

function openCell(app, [r, c] = app.local.at) {
  const list = listed(app), row = list.rows[r], type = list.types[c];
  if (!row || !type) return;
  const scenes = (app.local.grid.details.get(keyOf(row, type))?.scenes || []).map((scene, i) => ({ ...scene, waits: scene && lettersOf(app, row, type, [{ i }])[0] === "r" }));
  const scene = scenes.find((s) => s.waits && s.id) || scenes.find((s) => s.id);
  if (scene) app.open(`/review?scene=${scene.id}`);
}

const pointer = (app) => ({
  open: (place) => openCell(app, place),
  press: (place, event) => {
    if (event.shiftKey) extend(app, place); else { app.local.anchor = null; toggle(app, place); app.local.at = place; }
    changed(app);
  },
  drag: (from, to, event) => {
    const { local } = app;
    local.dragged ||= { base: new Set(local.selection), on: event.altKey ? false : true };
    local.selection = new Set(local.dragged.base);
    mark(app, listed(app), from, to, local.dragged.on);
    local.at = to;
    app.draw();
  },
  settled: () => { if (app.local.dragged) { app.local.dragged = null; app.local.anchor = null; refreshEstimate(app); } },
  detailed: () => app.draw(),
});

const PAGE = 10, FAR = 1e6;
const step = (dr, dc) => ({ plain: (app) => move(app, dr, dc, false), further: (app) => move(app, dr, dc, true) });
const arrows = { ArrowUp: step(-1, 0), ArrowDown: step(1, 0), ArrowLeft: step(0, -1), ArrowRight: step(0, 1), PageUp: step(-PAGE, 0), PageDown: step(PAGE, 0), Home: step(0, -FAR), End: step(0, FAR) };
const line = (app, kind) => { const list = listed(app), [r, c] = app.local.at; if (kind === "row") markLine(app, [r, 0], [r, list.types.length - 1]); else markLine(app, [0, c], [list.rows.length - 1, c]); };

// While a proposal is looked over, only its own keys count.
const whileProposed = (keys) => Object.fromEntries(Object.entries(keys).map(([name, act]) => [name, (app, event) => {
  if (!app.local.proposal || name === "Meta+Enter") act(app, event); else if (name === "Escape" || name === "p") app.set({ proposal: null });
}]));

export const matrix = {
  title: () => "Matrix",
  crumbs: (app) => ["Matrix", app.local.variant && app.local.variant !== "all" ? app.state.variants.find((v) => v.name === app.local.variant).label : "All variants"],
  help: [["↑ ↓ ← →", "Move"], ["Space", "Select the cell"], ["⇧ + arrow", "Extend the selection"], ["R", "Select the row"], ["L", "Select the column"], ["⌘A", "Select all that the filters show"], ["⏎", "Open the scene"], ["F", "Filter characters or scene types"], ["P", "Look over the selection before it is submitted"], ["C", "Check where the scenes can run"], ["V", "What waits for review, in groups"], ["⌘⏎", "Submit the selection"], ["Esc", "Clear the selection"]],
  opened: (app) => { Object.assign(app.local, { selection: new Set(), at: [0, 0], anchor: null }); },
  keys: whileProposed({
    ...Object.fromEntries(Object.entries(arrows).flatMap(([name, { plain, further }]) => [[name, plain], [`Shift+${name}`, further]])),
    " ": (app) => { app.local.anchor = null; toggle(app, app.local.at); refreshEstimate(app); },
    "Meta+a": (app) => { const list = listed(app); mark(app, list, [0, 0], [list.rows.length - 1, list.types.length - 1]); refreshEstimate(app); },
    r: (app) => line(app, "row"),
    l: (app) => line(app, "column"),
    Enter: (app) => openCell(app),
    c: (app) => matrix.actions.check(app),
    v: (app) => matrix.actions.groups(app),
    f: () => document.getElementById("matrix-find").focus(),
    "Meta+Enter": (app) => matrix.actions.submit(app),
    p: propose,
    Escape: (app) => matrix.actions.clear(app),
  }),
  actions: {
    ...checkActions,
    row: (app, id) => { const list = listed(app), r = list.rows.findIndex((row) => row.id === id); markLine(app, [r, 0], [r, list.types.length - 1]); },
    column: (app, id) => { const list = listed(app), c = list.types.findIndex((type) => type.id === id); markLine(app, [0, c], [list.rows.length - 1, c]); },
    variant: (app, name) => { app.set({ variant: name }); refreshEstimate(app); },
    status: (app, key) => app.set({ status: app.local.status === key ? null : key, at: [0, 0] }),
    find_: (app, text) => app.set({ find: text, at: [0, 0] }),
    noFilter: (app) => app.set({ find: "", status: null }),
    tier: (app, tier) => { app.local.tier = tier; refreshEstimate(app); },
    propose, proposalOff: (app) => app.set({ proposal: null }),
    clear: (app) => { app.local.selection.clear(); Object.assign(app.local, { estimate: null, anchor: null, proposal: null }); },
    submit: (app) => {
      if (!app.local.selection.size || !app.state.may_submit) return;
      app.act("submit", { cells: chosenCells(app), variants: chosenVariants(app), tier: app.local.tier || app.state.tier });
      matrix.actions.clear(app);
    },
    redo_cells: (app) => { app.act("redo_cells", { cells: chosenCells(app), variants: chosenVariants(app) }); matrix.actions.clear(app); },
    cancel_cells: (app) => { app.act("cancel_cells", { cells: chosenCells(app), variants: chosenVariants(app) }); matrix.actions.clear(app); },
    raise_cells: (app) => { app.act("raise_cells", { cells: chosenCells(app), variants: chosenVariants(app), tier: app.local.tier || app.state.tier }); matrix.actions.clear(app); },
    deliver: (app) => app.act("deliver", { partial: false }),
    groups: (app) => app.set({ groups: !app.local.groups }),
    groupBy: (app, by) => app.set({ groupBy: by }),
  },
  drawn: (app) => {
    const box = document.querySelector(".mscroll");
    if (!box) return;
    if (app.local.grid?.box !== box) app.local.grid = new Grid(app, box, pointer(app));
    app.local.grid.draw();
  },
  render: (app) => {
    const { scene_types: types, characters, prerequisites } = app.state;
    if (!characters.length || !types.length) return html`<div class="head"><h1>Matrix</h1></div><div class="page"><section class="panel full">${emptyState({ title: characters.length ? "No scene types yet" : "No characters yet", text: "The matrix is characters × scene types × variants. Import portraits and load scene types, then choose what to make.", command: characters.length ? "x121 scene-type load" : "x121 import PROJECT FOLDER --dry-run" })}</section></div>`;
    const list = listed(app);
    const strip = prerequisites.length > 0 && html`<div class="prereq st-warning" data-key="prereq">${shape("warning")}<b class="med">${many(prerequisites.length, "prerequisite")}</b>${prerequisites.slice(0, 3).map((p) => html`<span class="row g1">${shape(p.status)}<span class="secondary">${p.text}</span>${p.href && html`<a class="lnk" href="${p.href}">${p.link}</a>`}</span>`)}</div>`;
    const nothing = list.rows.length === 0 && html`<div data-key="nothing">${emptyState({ title: "No character matches", text: `${many(characters.length, "character")} in this project; the filters hide all of them.`, actions: button("Clear filters", { act: "noFilter" }), art: false })}</div>`;
    return html`${header(app)}${batch(app)}${toolbar(app)}${strip}${checkPanel(app)}${groupPanel(app)}${nothing}${GRID}${current(app, list)}${selectionBar(app)}${proposalBox(app)}`;
  },
};
