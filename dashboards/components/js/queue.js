// Queue: the plan on every worker, the tasks with one reason each, what people do about them, and days of the past.
import { html, raw, icon, shape, badge, bar, panel, grow, button, iconButton, check, segmented, emptyState, callout, attrs, clock, hhmm, day, percent, many, span } from "./kit.js";
import { gantt, projectClass, SPANS } from "./gantt.js";
import { ask } from "./shell.js";
import { scheduleBox, scheduleActions, scheduleKeys } from "./schedule_form.js";
import { menuBox, openMenu, menuActions, menuKeys } from "./queue_menu.js";

const DAY_S = 86400;
const SHOWS = { active: () => true, problem: (t) => t.problem, paused: (t) => t.word === "Paused" || t.word === "Held" };

function visible(app) {
  const l = app.local, text = (l.find || "").trim().toLowerCase();
  return app.state.tasks.filter((t) => SHOWS[l.show || "active"](t) && (!l.project || t.project === l.project) && (!l.person || t.person === l.person)
    && (!text || `${t.character} ${t.detail} ${t.take} ${t.project} ${t.person} ${t.word} ${t.why}`.toLowerCase().includes(text)));
}

const byId = (app, id) => app.state.tasks.find((t) => t.id === id);
const chosenIds = (app) => { const ids = visible(app).filter((t) => app.local.chosen.has(t.id)).map((t) => t.id); return ids.length ? ids : [visible(app)[app.local.at]?.id].filter(Boolean); };
const canAll = (app, ids, what) => ids.length > 0 && ids.every((id) => byId(app, id)?.can.includes(what));

// ---------------------------------------------------------------- changes, each with its Undo
async function change(app, name, args) {
  const value = await app.ask(name, args);
  if (value?.problem) { app.toast({ text: value.problem.text, more: value.problem.hint, status: "failed", seconds: 10 }); return; }
  app.local.change = value.change_id;
  app.local.chosen.clear();
  app.toast({ text: value.text, seconds: 10, action: { label: "Undo", key: "Z", act: "undoChange", arg: value.change_id } });
}

const move = (app, ids, where, anchor = null) => { if (canAll(app, ids, "front")) change(app, "move_tasks", { task_ids: ids, where, anchor }); };
const edit = (app, ids, changes) => { if (canAll(app, ids, "edit")) change(app, "edit_tasks", { task_ids: ids, changes }); };
const simple = (app, name, ids, what) => { if (canAll(app, ids, what)) { app.act(name, { task_ids: ids }); app.local.chosen.clear(); } };
const undo = (app, id = app.local.change) => { if (id) { app.act("undo_change", { change_id: id }); app.local.change = null; } };

async function details(app, id) {
  if (!id) return;
  const value = await app.ask("task_details", { task_id: id });
  if (value?.problem) app.toast({ text: value.problem.text, more: value.problem.hint, status: "failed" });
  else app.set({ details: value });
}

// ---------------------------------------------------------------- the list
const options = (all, chosen, every) => html`<option value="">${every}</option>${[...new Set(all)].sort().map((name) => html`<option value="${name}" ${raw(name === chosen ? "selected" : "")}>${name}</option>`)}`;

function filters(app) {
  const { tasks } = app.state, l = app.local, count = (show) => tasks.filter(SHOWS[show]).length;
  return html`${segmented([["active", `Active ${tasks.length}`], ["problem", `Problems ${count("problem")}`], ["paused", `Paused ${count("paused")}`]], l.show || "active", "show")}<label class="input find qfind wide">${icon("search", "sm")}<input id="queue-find" placeholder="Filter" aria-label="Filter the tasks" value="${l.find || ""}" data-input="findTask"></label><select class="input qsel wide" aria-label="Project" data-change="ofProject">${options(tasks.map((t) => t.project), l.project, "All projects")}</select><select class="input qsel wide" aria-label="Person" data-change="person">${options(tasks.map((t) => t.person), l.person, "Everybody")}</select>`;
}

function row(app, task, i) {
  const on = app.local.chosen.has(task.id), drop = app.local.drop;
  const mark = drop?.id === task.id ? (drop.after ? "dropafter" : "dropbefore") : "";
  return html`<tr class="${on ? "sel" : ""} ${i === app.local.at ? "cur" : ""} ${mark}" data-key="task-${task.id}" data-row="${i}" data-task="${task.id}" draggable="${app.state.may_order && task.can.includes("front") ? "true" : "false"}" ${attrs("row", i)}><td class="tick-cell">${check(on)}</td><td>${badge(task.status, task.word, { plain: true })}</td><td class="what"><b class="med">${task.character}</b> <span class="muted">${task.detail}</span></td><td class="secondary">${task.take}</td><td class="wide" title="Submitted by ${task.person}"><i class="pj ${projectClass(app, task.project)}"></i>${task.project}</td><td class="tnum right">${task.priority}</td><td class="why ell ${task.problem ? `c st-${task.status}` : "secondary"}" title="${task.why}">${task.status === "generating" ? html`<span class="row">${bar(task.progress, "w90", "generating")}<span class="tnum">${percent(task.progress)}</span><span class="ell">${task.why}</span></span>` : task.why}</td><td class="mono right">${hhmm(task.start_at)}</td><td class="mono right secondary">${clock(task.estimate_s)}</td><td class="right">${iconButton("chevron-down", "What can be done", "menuOf", task.id, { size: "sm" })}</td></tr>`;
}

function tasks(app) {
  const list = visible(app), ids = list.filter((t) => app.local.chosen.has(t.id)).map((t) => t.id);
  const head = html`<h2>Tasks</h2>${filters(app)}${grow}${ids.length > 0 && html`<span class="xs muted">${ids.length} selected</span>`}${button("To front", { act: "front", icon: "arrow-up", cls: "sm", keys: ["⇧↑"], disabled: !canAll(app, ids, "front") })}${button("Cancel", { act: "cancel", cls: "sm danger-quiet", keys: ["⌫"], disabled: !canAll(app, ids, "cancel") })}`;
  const narrowed = app.state.tasks.length > 0 && list.length === 0;
  const empty = narrowed
    ? emptyState({ title: app.local.show === "problem" ? "No problems" : "Nothing is like this", text: "No task fits the filter.", actions: button("Show all", { act: "showAll" }), art: false })
    : emptyState({ title: "The queue is empty", text: "Submitted scenes wait here until a worker is free.", actions: button("Open matrix", { href: "/matrix", icon: "layout-grid" }), art: false });
  const table = html`<div class="scroll"><table class="table tasks"><thead><tr><th class="tick-cell"></th><th>State</th><th>Scene</th><th>Take</th><th class="wide">Project</th><th class="n">Priority</th><th>Why waiting</th><th class="n">Start</th><th class="n">Est.</th><th></th></tr></thead><tbody>${list.slice(0, 200).map((task, i) => row(app, task, i))}</tbody></table>${list.length > 200 && html`<p class="pad muted">The first 200 of ${list.length}. Narrow the filter to see the others.</p>`}</div>`;
  return panel("tasks", head, list.length ? table : empty);
}

// ---------------------------------------------------------------- at the side
function detailsPanel(app) {
  const d = app.local.details;
  if (!d) return "";
  const facts = d.facts.map(([k, v]) => html`<dt>${k}</dt><dd>${v}</dd>`);
  const tries = d.attempts.map((a) => html`<div class="row xs" data-key="try-${a.number}"><span class="mono">${a.number}</span><span class="grow ell" title="${a.error}">${a.worker} · ${a.outcome}${a.error && html` · ${a.error}`}</span><span class="mono muted">${a.run_s === null ? "" : clock(a.run_s)}</span></div>`);
  return panel("details", html`<h2 class="ell" title="${d.title}">${d.title}</h2>${grow}${iconButton("x", "Close  Esc", "closeDetails", null, { size: "sm" })}`, html`<div class="body"><dl class="kv">${facts}</dl>${d.parameters.length > 0 && html`<h3>Parameters</h3><dl class="kv">${d.parameters.map(([k, v]) => html`<dt class="mono">${k}</dt><dd class="mono">${v}</dd>`)}</dl>`}${tries.length > 0 && html`<h3>Attempts</h3>${tries}`}<div class="row mt">${d.scene_id && button("Scene", { href: `/review?scene=${d.scene_id}`, cls: "sm" })}${button("Debugger", { href: `/debugger?task=${d.id}`, cls: "sm", icon: "sliders-horizontal" })}</div></div>`);
}

function schedules(app) {
  const list = app.state.schedules;
  const acts = (s) => html`<span class="row schedacts">${iconButton("pencil", `Change ${s.name}`, "changeSchedule", s.id, { size: "sm" })}${iconButton("play", `Run ${s.name} now`, "schedule", [s.name, "run"], { size: "sm" })}${iconButton(s.enabled ? "pause" : "refresh-cw", s.enabled ? `Disable ${s.name}` : `Enable ${s.name}`, "schedule", [s.name, s.enabled ? "disable" : "enable"], { size: "sm" })}${iconButton("trash-2", `Remove ${s.name}`, "removeSchedule", s.name, { size: "sm" })}</span>`;
  const line = (s) => html`<div class="sched" data-key="sched-${s.id}"><div class="row"><b class="med ell grow" title="${s.name}">${s.name}</b>${s.may && acts(s)}</div><div class="row xs"><span class="mono muted ell grow" title="${s.cron}">${s.cron}</span><span class="schednext ${s.enabled ? "secondary" : "muted"} tnum">${s.enabled ? `${day(s.next_at)} ${hhmm(s.next_at)}` : "off"}</span></div><div class="xs muted ell">${s.project}, as ${s.person}${s.last && ` · last: ${s.last}`}</div></div>`;
  return panel("sched", html`<h2>Schedules</h2><span class="badge tag">${list.length}</span>${grow}${button("Add…", { act: "addSchedule", cls: "sm", icon: "plus", keys: ["S"], disabled: !app.state.may_schedule })}`, html`<div class="body">${list.length ? list.map(line) : html`<p class="xs muted">Nothing is submitted by itself. A schedule submits scenes again and again.</p>`}</div>`);
}

function side(app) {
  const shares = app.state.shares.map((s) => html`<div class="shr" data-key="share-${s.name}"><div class="row"><i class="pj ${projectClass(app, s.name)}"></i><b class="med">${s.name}</b>${grow}<span class="tnum"><b class="med">${percent(s.used)}</b> <span class="muted">of ${percent(s.target)}</span></span></div><span class="scorebar"><i class="pj ${projectClass(app, s.name)}" style="width:${s.used * 100}%"></i><b style="left:${s.target * 100}%"></b></span><div class="row xs muted tnum"><span>${s.running} running</span><span>·</span><span>${s.queued} queued</span>${grow}<span>${s.note}</span></div></div>`);
  return html`<div class="col qside">${detailsPanel(app)}${app.state.shares.length > 0 && panel("share", html`<h2>Fair share</h2><span class="xs muted">GPU time, last 24 h</span>`, html`<div class="body">${shares}</div>`)}${panel("plan", html`<h2>Plan</h2>`, html`<div class="body"><dl class="kv">${app.state.plan.map(([k, v]) => html`<dt>${k}</dt><dd class="mono">${v}</dd>`)}</dl></div>`)}${schedules(app)}</div>`;
}

// ---------------------------------------------------------------- the past
function goTo(app, until) {
  const now = app.now();
  const href = until === null || until >= now - 60000 ? "/queue" : `/queue?at=${encodeURIComponent(new Date(until).toISOString())}`;
  app.open(href);
}

function timeBar(app) {
  const past = app.state.history, until = past ? Date.parse(past.until) : app.now();
  const hours = Math.round((app.local.scrub ?? until - app.now()) / 3600000);
  const label = past || app.local.scrub !== undefined ? html`${day(new Date(app.now() + hours * 3600000).toISOString())} <b class="med">${hhmm(new Date(app.now() + hours * 3600000).toISOString())}</b>, 24 h before` : "Live";
  return html`<div class="row qtime"><span class="xs muted">History</span>${iconButton("step-back", "A day earlier  [", "dayBack", null, { size: "sm" })}<input type="range" class="grow" min="-168" max="0" step="1" value="${Math.max(-168, hours)}" aria-label="Hours back from now" data-input="scrub" data-change="scrubTo">${iconButton("step-forward", "A day later  ]", "dayOn", null, { size: "sm", disabled: !past })}<span class="xs tnum secondary qwhen">${label}</span>${past && !past.complete && badge("warning", "Newest takes only")}${button("Now", { act: "live", cls: "sm", keys: ["N"], disabled: !past })}</div>`;
}

function holds(app) {
  const more = app.state.more_pauses;
  return html`${app.state.pauses.filter((p) => p.kind !== "studio").map((p) => html`<div class="qhold" data-key="hold-${p.key}">${callout("blocked", p.text, ["project", "scene"].includes(p.kind) && button("Go on", { act: "goOn", arg: [p.kind, p.key], cls: "sm", disabled: !app.state.may_manage }))}</div>`)}${more > 0 && html`<p class="xs muted qhold">and ${many(more, "more pause")}: <code class="mono">x121 queue pauses</code></p>`}`;
}

// ---------------------------------------------------------------- drag a row to another place
function listen(app) {
  const over = (event) => event.target.closest?.("tr[data-task]");
  const handlers = {
    contextmenu: (event) => { const at = event.target.closest?.("[data-task]"); if (at && byId(app, at.dataset.task)) { event.preventDefault(); openMenu(app, pick(app, at.dataset.task), event.clientX, event.clientY); } },
    dragstart: (event) => { const tr = over(event); if (!tr) return; app.local.drag = pick(app, tr.dataset.task); event.dataTransfer.setData("text/plain", tr.dataset.task); event.dataTransfer.effectAllowed = "move"; },
    dragover: (event) => { const tr = over(event); if (!tr || !app.local.drag) return; event.preventDefault(); const box = tr.getBoundingClientRect(); const drop = { id: tr.dataset.task, after: event.clientY > box.top + box.height / 2 }; if (app.local.drop?.id !== drop.id || app.local.drop.after !== drop.after) app.set({ drop }); },
    drop: (event) => { const { drag, drop } = app.local; if (!drag || !drop) return; event.preventDefault(); app.set({ drag: null, drop: null }); if (!drag.includes(drop.id)) move(app, drag, drop.after ? "after" : "before", drop.id); },
    dragend: () => app.set({ drag: null, drop: null }),
  };
  for (const [name, handler] of Object.entries(handlers)) app.root.addEventListener(name, handler);
  app.local.silence = () => { for (const [name, handler] of Object.entries(handlers)) app.root.removeEventListener(name, handler); };
}

const pick = (app, id) => (app.local.chosen.has(id) ? chosenIds(app) : [id]);

// ---------------------------------------------------------------- keys and clicks
function step(app, by) {
  app.local.at = Math.min(visible(app).length - 1, Math.max(0, app.local.at + by));
  app.drawNow();
  document.querySelector(`[data-row="${app.local.at}"]`)?.scrollIntoView({ block: "nearest" });
}

function choose(app, index) {
  const id = visible(app)[index]?.id;
  if (!id) return;
  app.local.at = index;
  if (app.local.chosen.has(id)) app.local.chosen.delete(id); else app.local.chosen.add(id);
}

function menuAtCursor(app, id = visible(app)[app.local.at]?.id) {
  const box = document.querySelector(`tr[data-task="${id}"]`)?.getBoundingClientRect();
  if (box) openMenu(app, pick(app, id), box.left + 220, box.bottom, { focus: true });
}

const does = {
  front: (app, ids) => move(app, ids, "front"), back: (app, ids) => move(app, ids, "back"),
  cls: (app, ids, kind) => edit(app, ids, { class: kind }), offPeak: (app, ids, on) => edit(app, ids, { off_peak: on }),
  atOnce: (app, ids) => edit(app, ids, { at_once: true }),
  pause: (app, ids) => { if (canAll(app, ids, "pause")) app.act("hold_work", { kind: "tasks", keys: ids }); },
  resume: (app, ids) => { if (canAll(app, ids, "resume")) app.act("go_on", { kind: "tasks", keys: ids }); },
  hold: (app, ids, [kind, key]) => app.act("hold_work", { kind, keys: [key] }),
  retry: (app, ids) => simple(app, "retry", ids, "retry"), cancel: (app, ids) => simple(app, "cancel", ids, "cancel"),
  details: (app, ids) => { details(app, ids[0]); },
};

export const queue = {
  title: () => "Queue",
  crumbs: (app) => ["Queue", app.state.history ? "History" : "Plan"],
  help: [["↑ ↓", "Move"], ["Space", "Select the task"], ["M", "What can be done with it"], ["D", "Details"], ["⇧↑", "To the front"], ["⌫", "Cancel"], ["Z", "Undo the last move or change"], ["⇧P", "Pause after current takes, or go on"], ["[ ]", "A day back, a day on"], ["⏎", "Open the scene"], ["B", "Open in the debugger"], ["S", "Add a schedule"]],
  commands: (app) => [...(app.state.may_schedule ? [{ label: "Add a schedule", act: "addSchedule", icon: "plus", keys: ["S"] }] : []), ...app.state.schedules.filter((s) => s.may).map((s) => ({ label: `Change the schedule ${s.name}`, act: "changeSchedule", arg: s.id, icon: "pencil" }))],
  opened: (app) => { Object.assign(app.local, { chosen: new Set(), at: 0 }); listen(app); },
  closed: (app) => { app.local.silence?.(); },
  changed: (app) => { app.local.scrub = undefined; },
  keys: scheduleKeys(menuKeys({
    s: (app) => scheduleActions.addSchedule(app),
    ArrowUp: (app) => step(app, -1), ArrowDown: (app) => step(app, 1), " ": (app) => choose(app, app.local.at),
    m: (app) => menuAtCursor(app), ContextMenu: (app) => menuAtCursor(app), "Shift+F10": (app) => menuAtCursor(app),
    d: (app) => { details(app, visible(app)[app.local.at]?.id); }, z: (app) => undo(app), Escape: (app) => app.set({ details: null }),
    "Shift+ArrowUp": (app) => does.front(app, chosenIds(app)), Backspace: (app) => does.cancel(app, chosenIds(app)),
    "Shift+p": (app) => queue.actions.pause(app), "[": (app) => queue.actions.dayBack(app), "]": (app) => queue.actions.dayOn(app), n: (app) => goTo(app, null),
    b: (app) => { const id = visible(app)[app.local.at]?.id; if (id) app.open(`/debugger?task=${id}`); },
    Enter: (app) => { const id = visible(app)[app.local.at]?.scene_id; if (id) app.open(`/review?scene=${id}`); },
  })),
  actions: {
    ...menuActions(does),
    ...scheduleActions,
    removeSchedule: (app, name) => ask(app, { title: `Remove ${name}?`, text: "It submits nothing more. Its log goes with it; what it submitted stays.", label: "Remove", cls: "danger", status: "failed", done: () => app.act("steer_schedule", { name, how: "remove" }) }),
    span: (app, value) => app.set({ span: Number(value) }),
    show: (app, show) => app.set({ show, at: 0 }),
    findTask: (app, find) => app.set({ find, at: 0 }), ofProject: (app, project) => app.set({ project, at: 0 }), person: (app, person) => app.set({ person, at: 0 }),
    showAll: (app) => app.set({ show: "active", find: "", project: "", person: "" }),
    row: choose, front: (app) => does.front(app, chosenIds(app)), cancel: (app) => does.cancel(app, chosenIds(app)), retry: (app) => does.retry(app, chosenIds(app)),
    menuOf: (app, id) => menuAtCursor(app, id),
    undoChange: (app, id) => undo(app, id),
    details: (app, id) => { details(app, id); }, closeDetails: (app) => app.set({ details: null }),
    goOn: (app, [kind, key]) => app.act("go_on", { kind, keys: [key] }),
    schedule: (app, [name, how]) => app.act("steer_schedule", { name, how }),
    scrub: (app, hours) => app.set({ scrub: Number(hours) * 3600000 }), scrubTo: (app, hours) => goTo(app, Number(hours) >= 0 ? null : app.now() + Number(hours) * 3600000),
    dayBack: (app) => goTo(app, (app.state.history ? Date.parse(app.state.history.until) : app.now()) - DAY_S * 1000),
    dayOn: (app) => { if (app.state.history) goTo(app, Date.parse(app.state.history.until) + DAY_S * 1000); },
    live: (app) => goTo(app, null),
    pause: (app) => app.act(app.state.paused ? "resume" : "pause"),
  },
  render: (app) => {
    const { running, queued, held, empty_at: empty, paused, history } = app.state;
    const left = empty ? (Date.parse(empty) - app.now()) / 1000 : null;
    return html`<div class="head"><h1>Queue</h1><span class="facts"><b class="secondary med">${running}</b> running · <b class="secondary med">${queued}</b> queued${held > 0 && html` (<b class="secondary med">${held}</b> on hold)`}${empty && html` · drains in <b class="secondary med">${span(Math.max(0, left))}</b>, at <b class="secondary med">${hhmm(empty)}</b>`} · <b class="secondary med">${app.state.done_today}</b> done today</span>${paused && badge("blocked", "Paused")}${grow}<span class="wide">${!history && segmented(Object.entries(SPANS), String(app.local.span || 4800), "span")}</span>${button(paused ? "Go on" : "Pause after current takes", { act: "pause", icon: paused ? "play" : "pause", keys: ["⇧P"], disabled: !app.state.may_manage })}</div>${holds(app)}${gantt(app)}${timeBar(app)}<div class="qgrid">${tasks(app)}${side(app)}</div>${menuBox(app, byId)}${scheduleBox(app)}`;
  },
};
