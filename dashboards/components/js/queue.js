// Queue: the plan on every worker, the tasks with one reason each, fair shares.
import { html, raw, icon, shape, kbd, badge, bar, panel, grow, button, check, segmented, emptyState, attrs, clock, hhmm, percent, many } from "./kit.js";

const PAST_S = 1800;
const SPANS = { 1800: "30 min", 4800: "80 min", 21600: "6 h", 86400: "24 h" };

const window_ = (app) => { const span = app.local.span || 4800; return { from: -Math.min(PAST_S, span * 0.375), span }; };

function gantt(app) {
  const { from, span } = window_(app);
  const drift = (app.now() - Date.parse(app.state.now)) / 1000;
  const x = (s) => (((s - from) / span) * 100).toFixed(3);
  const step = span <= 1800 ? 300 : span <= 4800 ? 600 : span <= 21600 ? 3600 : 10800;
  const start = Date.parse(app.state.now) + drift * 1000 + from * 1000;
  const ticks = [];
  for (let t = Math.ceil(start / 1000 / step) * step; t < start / 1000 + span * 0.97; t += step) ticks.push(t - (start / 1000 - from));
  const lanes = app.state.lanes.map(({ worker, bars }) => html`<div class="gn" data-key="lane-${worker.id}"><div class="grow"><div class="row g1">${shape(worker.status)}<b class="mono med ell">${worker.name}</b></div><div class="xs muted ell">${worker.kind}</div></div><span class="xs tnum secondary">${worker.utilisation === null ? worker.word : percent(worker.utilisation)}</span></div><div class="gt" data-key="track-${worker.id}">${bars.filter((b) => b.end_s - drift > from && b.start_s - drift < from + span).map((b) => ganttBar(b, drift, x, span))}</div>`);
  const axis = ticks.filter((t) => Math.abs(t) > span * 0.05 && t > from + span * 0.02).map((t) => html`<span class="ax" style="left:${x(t)}%">${hhmm(new Date(start + (t - from) * 1000).toISOString())}</span>`);
  return html`<div class="panel ganttbox"><div class="gantt"><div class="gn ghd xs muted">Worker</div><div class="gt ghd">${axis}</div>${lanes}<div class="gover">${ticks.map((t) => html`<i style="left:${x(t)}%"></i>`)}<b style="left:${x(0)}%"><span>Now ${hhmm(new Date(start - from * 1000).toISOString())}</span></b></div></div></div>`;
}

function ganttBar(b, drift, x, span) {
  const a = b.start_s - drift, e = Math.max(b.end_s - drift, a + span * 0.004);
  const wide = (e - a) / span > 0.035;
  const cuts = Array.from({ length: Math.max(0, b.segments - 1) }, (_, i) => html`<u style="left:${(((i + 1) / b.segments) * 100).toFixed(1)}%"></u>`);
  if (b.kind === "down") return html`<span class="down hatch" data-key="bar-${b.id}" style="left:${Math.max(0, x(a))}%;width:${(((e - a) / span) * 100).toFixed(3)}%"><span class="row g1">${icon("wrench", "xs")}${b.label}</span></span>`;
  return html`<span class="gb ${b.kind} st-${b.status}" data-key="bar-${b.id}" title="${b.label}" style="left:${x(a)}%;width:${(((e - a) / span) * 100).toFixed(3)}%">${b.kind === "run" && html`<em style="width:${(b.progress * 100).toFixed(1)}%"></em>`}${cuts}${wide && html`<span class="gl">${shape(b.status)}<span class="ell">${b.label}</span></span>`}</span>`;
}

function visible(app) {
  const show = app.local.show || "active";
  return app.state.tasks.filter((task) => (show === "active" ? true : task.problem));
}

function tasks(app) {
  const list = visible(app);
  const chosen = [...app.local.chosen].filter((id) => list.some((task) => task.id === id));
  const can = (what) => app.state.may_manage && chosen.length > 0 && list.filter((t) => app.local.chosen.has(t.id)).every((t) => t.can.includes(what));
  const head = html`<h2>Tasks</h2><span class="badge tag">${app.state.tasks.length}</span>${segmented([["active", `Active ${app.state.tasks.length}`], ["problem", `Problems ${app.state.tasks.filter((t) => t.problem).length}`]], app.local.show || "active", "show")}<span class="xs muted wide">Done today ${app.state.done_today}</span>${grow}${chosen.length > 0 && html`<span class="xs muted">${chosen.length} selected</span>`}${button("To front", { act: "front", icon: "arrow-up", cls: "sm", keys: ["⇧↑"], disabled: !can("front") })}${button("Retry", { act: "retry", icon: "refresh-cw", cls: "sm wide", disabled: !can("retry") })}${button("Cancel", { act: "cancel", cls: "sm danger-quiet", keys: ["⌫"], disabled: !can("cancel") })}`;
  const rows = list.slice(0, 200).map((task, i) => html`<tr class="${app.local.chosen.has(task.id) ? "sel" : ""} ${i === app.local.at ? "cur" : ""}" data-key="task-${task.id}" data-row="${i}" ${attrs("row", i)}><td class="tick-cell">${check(app.local.chosen.has(task.id))}</td><td>${badge(task.status, task.word, { plain: true })}</td><td class="what"><b class="med">${task.character}</b> <span class="muted">${task.detail}</span></td><td class="secondary">${task.take}</td><td class="wide"><i class="pj"></i>${task.project}</td><td class="tnum right">${task.priority}</td><td class="why ell ${task.problem ? `c st-${task.status}` : "secondary"}" title="${task.why}">${task.status === "generating" ? html`<span class="row">${bar(task.progress, "w90", "generating")}<span class="tnum">${percent(task.progress)}</span><span class="ell">${task.why}</span></span>` : task.why}</td><td class="mono right">${hhmm(task.start_at)}</td><td class="mono right secondary">${clock(task.estimate_s)}</td><td class="right"><a class="iconbtn" href="/debugger?task=${task.id}" title="Open in the debugger  B" aria-label="Open in the debugger">${icon("sliders-horizontal", "sm")}</a></td></tr>`);
  const empty = emptyState({ title: app.local.show === "problem" ? "No problems" : "The queue is empty", text: "Submitted scenes wait here until a worker is free.", actions: button("Open matrix", { href: "/matrix", icon: "layout-grid" }), art: false });
  return panel("tasks", head, rows.length ? html`<div class="scroll"><table class="table tasks"><thead><tr><th class="tick-cell"></th><th>State</th><th>Scene</th><th>Take</th><th class="wide">Project</th><th class="n">Priority</th><th>Why waiting</th><th class="n">Start</th><th class="n">Est.</th><th></th></tr></thead><tbody>${rows}</tbody></table></div>` : empty);
}

function side(app) {
  const shares = app.state.shares.map((s, i) => html`<div class="shr" data-key="share-${s.name}"><div class="row"><i class="pj p${i % 3}"></i><b class="med">${s.name}</b>${grow}<span class="tnum"><b class="med">${percent(s.used)}</b> <span class="muted">of ${percent(s.target)}</span></span></div><span class="scorebar"><i class="pj p${i % 3}" style="width:${s.used * 100}%"></i><b style="left:${s.target * 100}%"></b></span><div class="row xs muted tnum"><span>${s.running} running</span><span>·</span><span>${s.queued} queued</span>${grow}<span>${s.note}</span></div></div>`);
  return html`<div class="col qside">${app.state.shares.length > 0 && panel("share", html`<h2>Fair share</h2><span class="xs muted">GPU time, last 24 h</span>`, html`<div class="body">${shares}</div>`)}${panel("plan", html`<h2>Plan</h2>`, html`<div class="body"><dl class="kv">${app.state.plan.map(([k, v]) => html`<dt>${k}</dt><dd class="mono">${v}</dd>`)}</dl></div>`)}</div>`;
}

const chosenIds = (app) => { const ids = [...app.local.chosen]; return ids.length ? ids : [visible(app)[app.local.at]?.id].filter(Boolean); };
const apply = (name) => (app) => { const ids = chosenIds(app); if (ids.length && app.state.may_manage) { app.act(name, { task_ids: ids }); app.local.chosen.clear(); } };

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

export const queue = {
  title: () => "Queue",
  crumbs: () => ["Queue", "Plan"],
  help: [["↑ ↓", "Move"], ["Space", "Select the task"], ["⇧↑", "To the front"], ["⌫", "Cancel"], ["⇧P", "Pause after current takes, or go on"], ["⏎", "Open the scene"], ["B", "Open in the debugger"]],
  opened: (app) => { Object.assign(app.local, { chosen: new Set(), at: 0 }); },
  keys: {
    ArrowUp: (app) => step(app, -1), ArrowDown: (app) => step(app, 1), " ": (app) => choose(app, app.local.at),
    "Shift+ArrowUp": apply("to_front"), Backspace: apply("cancel"), "Shift+p": (app) => queue.actions.pause(app),
    b: (app) => { const id = visible(app)[app.local.at]?.id; if (id) app.open(`/debugger?task=${id}`); },
    Enter: (app) => { const id = visible(app)[app.local.at]?.scene_id; if (id) app.open(`/review?scene=${id}`); },
  },
  actions: {
    span: (app, span) => app.set({ span: Number(span) }),
    show: (app, show) => app.set({ show, at: 0 }),
    row: choose, front: apply("to_front"), cancel: apply("cancel"), retry: apply("retry"),
    pause: (app) => app.act(app.state.paused ? "resume" : "pause"),
  },
  render: (app) => {
    const { running, queued, empty_at: empty, paused } = app.state;
    return html`<div class="head"><h1>Queue</h1><span class="facts"><b class="secondary med">${running}</b> running · <b class="secondary med">${queued}</b> queued${empty && html` · empty at <b class="secondary med">${hhmm(empty)}</b>`}</span>${paused && badge("blocked", "Paused")}${grow}<span class="wide">${segmented(Object.entries(SPANS), String(app.local.span || 4800), "span")}</span>${button(paused ? "Go on" : "Pause after current takes", { act: "pause", icon: paused ? "play" : "pause", keys: ["⇧P"], disabled: !app.state.may_manage })}</div>${gantt(app)}<div class="qgrid">${tasks(app)}${side(app)}</div>`;
  },
};
