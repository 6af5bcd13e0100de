// Debugger: one take on its server: live node and picture, parameters, raw messages, and how to steer it.
import { html, raw, icon, shape, badge, bar, panel, grow, button, segmented, emptyState, callout, attrs, ago, percent, many } from "./kit.js";
import { ask } from "./shell.js";

const STATE = { done: "approved", cached: "info", running: "generating", waiting: "none" };
const WORD = { done: "", cached: "from cache", running: "running", waiting: "" };
const task = (app) => app.state.task;
const can = (app, what) => Boolean(task(app)?.can.includes(what));
const edits = (app) => Object.entries(app.local.edits || {}).filter(([name, text]) => task(app).parameters.find((p) => p.name === name)?.value !== text);

function go(app, changes) {
  const href = `/debugger?${new URLSearchParams({ ...app.params, ...changes })}`;
  history.replaceState({}, "", href);
  app.open(href, { push: false });
}

// ---------------------------------------------------------------- what happens now
function now(app, t) {
  const steps = t.n_steps > 0, done = t.nodes.filter((n) => n.state === "done" || n.state === "cached").length;
  const picture = t.preview ? html`<img src="${t.preview}" alt="Intermediate picture">` : html`<div class="nopic">${icon("image", "lg")}<span>${t.attempt ? "The server has sent no intermediate picture yet" : "Nothing was sent to a server yet"}</span></div>`;
  const live = ["Running", "Pausing", "Starting"].includes(t.word);
  return panel("live", html`<h2>${live ? "Now" : "Last"}</h2><span class="xs muted">${t.attempt ? `attempt ${t.attempt}` : "not started"}${t.worker ? ` on ${t.worker}` : ""}</span>${grow}<span class="xs muted">${t.heard_at ? `heard ${ago(t.heard_at, app.now())}` : ""}</span>`, html`<div class="dpic">${picture}${t.preview && html`<span class="hud ai rb">AI-generated, unfinished</span>`}</div><div class="body dnow"><div class="row"><b class="med ell" title="${t.node}">${t.node}</b>${grow}${steps && html`<span class="mono tnum">step ${t.step} of ${t.n_steps}</span>`}</div>${bar(steps ? t.step / t.n_steps : t.progress, "h6", "generating")}<div class="row xs muted tnum"><span>${done} of ${many(t.nodes.length, "node")} done</span>${grow}<span>${percent(t.progress)} of the take</span></div></div>`);
}

function nodes(t) {
  const rows = t.nodes.map((n) => html`<div class="row dnode ${n.state}" data-key="node-${n.id}">${shape(STATE[n.state])}<span class="ell grow"><b class="med">${n.name}</b>${n.name !== n.class && html` <span class="muted mono xs">${n.class}</span>`}</span><span class="xs muted">${WORD[n.state]}</span>${n.seconds !== null && html`<span class="mono xs">${n.seconds.toFixed(1)} s</span>`}<span class="mono xs muted nid">${n.id}</span></div>`);
  return panel("nodes", html`<h2>Nodes</h2><span class="badge tag">${t.nodes.length}</span>${grow}<span class="xs muted">in the order in which they end</span>`, rows.length ? html`<div class="scroll dnodes">${rows}</div>` : emptyState({ title: "No graph yet", text: "The nodes stand here as soon as the take is sent to a worker.", art: false }));
}

// ---------------------------------------------------------------- parameters
function parameter(app, t, p) {
  const text = app.local.edits?.[p.name] ?? p.value, dirty = text !== p.value;
  const off = p.fixed || !can(app, "change") || t.pending !== null;
  const control = p.long ? html`<textarea class="input area" rows="2" name="${p.name}" data-input="edit" aria-label="${p.name}" ${raw(off ? "disabled" : "")}>${text}</textarea>` : html`<input class="input mono" name="${p.name}" value="${text}" data-input="edit" aria-label="${p.name}" autocomplete="off" ${raw(off ? "disabled" : "")}>`;
  return html`<div class="param ${dirty ? "dirty" : ""}" data-key="param-${p.name}"><div class="row"><span class="mono xs ell">${p.name}</span>${dirty ? badge("warning", "edited", { plain: true }) : p.own && badge("info", "this take's own", { plain: true })}${grow}${p.fixed && html`<span class="xs muted row g1">${icon("lock", "xs")}filled by X121</span>`}${p.own && !dirty && !off && p.name !== "seed" && html`<button type="button" class="lnk xs" ${attrs("takeBack", p.name)}>take back</button>`}</div>${control}</div>`;
}

function effect(t) {
  if (t.word === "Running") return html`It runs: the change takes effect at the next safe point, <b class="med">when ${t.node || "its node"} has ended</b>. Finished nodes come from the cache.`;
  if (t.word === "Pausing") return "It is stopping at the end of its node.";
  if (t.word === "Paused") return "It is paused: the change takes effect when it goes on, from its finished nodes.";
  return "It waits: the change takes effect when it starts.";
}

function parameters(app, t) {
  const changed = edits(app), running = t.word === "Running" || t.word === "Pausing";
  const notes = html`${t.pending && callout("generating", html`<b class="med">Waiting for the safe point:</b> <span class="mono xs">${Object.entries(t.pending).map(([k, v]) => `${k} = ${v}`).join(", ")}</span>. When ${t.node} has ended it is changed and goes on.`)}${!t.pending && t.said && callout(t.said.status, t.said.text)}${app.local.fault && callout("failed", html`<b class="med">${app.local.fault.text}</b> ${app.local.fault.hint}`)}`;
  const foot = can(app, "change") && !t.pending ? html`<div class="dfoot"><p class="xs secondary">${effect(t)}</p><div class="row">${button(running ? "Change and continue" : t.word === "Paused" ? "Change and resume" : "Change", { act: "change", cls: "primary", icon: "check", keys: ["⌘⏎"], disabled: !changed.length })}${changed.length > 0 && button("Undo edits", { act: "undoEdits", cls: "ghost" })}${t.word === "Paused" && changed.length > 0 && button("Change, stay paused", { act: "changeOnly" })}</div></div>` : "";
  return panel("params", html`<h2>Parameters</h2><span class="badge tag">${t.parameters.length}</span>${grow}${changed.length > 0 && html`<span class="xs muted">${many(changed.length, "edit")}</span>`}`, html`<div class="scroll params">${notes}${t.parameters.map((p) => parameter(app, t, p))}</div>${foot}`);
}

async function send(app, goOn) {
  const values = Object.fromEntries(edits(app));
  if (!Object.keys(values).length || !can(app, "change")) return;
  await steer(app, values, goOn);
}

async function steer(app, values, goOn) {
  const answer = await app.ask("change_task", { task_id: task(app).id, values, go_on: goOn });
  app.set({ fault: answer?.problem || null });
  if (answer?.text) { app.local.edits = {}; app.toast({ text: answer.text, status: "approved" }); }
}

// ---------------------------------------------------------------- raw
function rawData(app, t) {
  const r = t.raw, head = html`<h2>Raw</h2>${segmented([["events", "Messages"], ["request", "Request"], ["result", "Result"], ...(t.failure ? [["failure", "Failure"]] : [])], r.which, "rawTab")}${grow}${r.cut && html`<span class="xs muted">${r.which === "events" ? "the newest 120" : "the beginning"}; all of it: x121 task show --raw</span>`}`;
  if (r.which === "failure" && t.failure) return panel("raw", head, html`<dl class="scroll kv failure">${t.failure.facts.map(([label, text]) => html`<dt>${label}</dt><dd class="brk mono xs">${text}</dd>`)}${t.failure.log && html`<dt>End of the server's log</dt><dd><pre class="xs flog">${t.failure.log}</pre></dd>`}</dl>`);
  if (r.which !== "events") return panel("raw", head, r.text ? html`<pre class="scroll rawtext mono xs">${r.text}</pre>` : emptyState({ title: r.which === "result" ? "No result yet" : "Nothing was sent yet", text: r.which === "result" ? "The server's history has no entry of this prompt until it ends." : "The request stands here once the take is sent.", art: false }));
  const rows = r.events.map((e, i) => html`<div class="evr" data-key="ev-${e.at}-${i}"><span class="mono xs muted">${e.at.slice(11, 23)}</span><b class="mono xs">${e.type}</b><span class="mono xs muted">${e.node}</span><span class="mono xs ell" title="${e.data}">${e.data}</span></div>`);
  return panel("raw", head, rows.length ? html`<div class="scroll evrs">${rows}</div>` : emptyState({ title: "No message yet", text: "What the server says of this prompt stands here, newest first, five seconds old at most.", art: false }));
}

// ---------------------------------------------------------------- what is done
const actions = {
  edit: (app, text, event) => { app.local.edits = { ...app.local.edits, [event.target.name]: text }; app.local.fault = null; },
  undoEdits: (app) => app.set({ edits: {}, fault: null }),
  takeBack: (app, name) => { steer(app, { [name]: null }, false); },
  change: (app) => { send(app, true); },
  changeOnly: (app) => { send(app, false); },
  rawTab: (app, which) => go(app, { task: task(app).id, raw: which }),
  pauseNode: (app) => { if (can(app, "pause")) app.act("pause_task", { task_id: task(app).id, at: "node" }); },
  pauseNow: (app) => { const t = task(app); ask(app, { title: "Stop at once?", text: `What ${t.node} did so far is lost and it begins again. ${many(t.n_done, "finished node is", "finished nodes are")} safe.`, label: "Stop at once", done: () => app.act("pause_task", { task_id: t.id, at: "now" }) }); },
  resume: (app) => { if (can(app, "resume")) app.act("resume_task", { task_id: task(app).id }); },
  cancelTake: (app) => { const t = task(app); ask(app, { title: "Cancel this take?", text: `Finished segments of ${t.character} · ${t.detail} stay. This take and what waits for its last frame are cancelled.`, label: "Cancel, keep what is finished", cls: "danger", status: "failed", done: () => app.act("cancel", { task_ids: [t.id] }) }); },
};

const others = (app) => (app.state.running.length > 0 && html`<select class="input switchtake" aria-label="Running takes" data-change="pickTake"><option value="">Running takes (${app.state.running.length})</option>${app.state.running.map((r) => html`<option value="${r.id}">${r.character} · ${r.detail} · ${r.worker}</option>`)}</select>`);

function page(app, t) {
  const href = t.scene_id ? `/review?scene=${t.scene_id}` : null;
  return html`<div class="head"><h1 class="ell">${t.character}</h1>${badge(t.status, t.word)}<span class="facts ell">${t.detail} · ${t.take} · ${t.project}${t.trigger && html` · queued by the trigger <a class="lnk" href="/triggers?trigger=${t.trigger.id}">${t.trigger.name}</a>`}</span>${grow}${others(app)}${href && button("Scene", { href, icon: "circle-play" })}${can(app, "resume") && button("Resume", { act: "resume", icon: "play", cls: "primary", keys: ["R"] })}${can(app, "pause") && button("Pause after this node", { act: "pauseNode", icon: "pause", keys: ["P"], title: `Stops ${t.stops.node}` })}${can(app, "stop") && button("Stop at once…", { act: "pauseNow", title: `Stops ${t.stops.now}` })}${can(app, "cancel") && button("Cancel…", { act: "cancelTake", cls: "danger-quiet" })}</div>${t.error && html`<div class="wstrip">${callout("failed", html`${t.error}${t.failure?.proposal && html` <b class="med">What to do:</b> ${t.failure.proposal}`}`)}</div>`}<div class="dbgrid">${now(app, t)}${nodes(t)}${parameters(app, t)}${rawData(app, t)}</div>`;
}

const nothing = html`<div class="head"><h1>Debugger</h1></div><div class="page"><section class="panel full">${emptyState({ title: "Nothing runs", text: "Open a take from the queue to see its nodes, pictures, parameters and messages.", actions: button("Open queue", { href: "/queue", icon: "chart-gantt" }) })}</section></div>`;

export const debugger_ = {
  title: (app) => (task(app) ? `${task(app).character} · Debugger` : "Debugger"),
  crumbs: (app) => (task(app) ? ["Queue", "Debugger", `${task(app).character} · ${task(app).detail}`] : ["Queue", "Debugger"]),
  help: [["P", "Pause when the node has ended"], ["R", "Resume"], ["⌘⏎", "Change and continue"], ["1 2 3", "Messages, request, result"]],
  commands: (app) => [...(can(app, "pause") ? [{ label: "Pause after this node", act: "pauseNode", icon: "pause", keys: ["P"] }] : []), ...(can(app, "resume") ? [{ label: "Resume this take", act: "resume", icon: "play", keys: ["R"] }] : [])],
  opened: (app) => { Object.assign(app.local, { of: task(app)?.id, edits: {}, fault: null }); },
  changed: (app) => { if (app.local.of !== task(app)?.id) Object.assign(app.local, { of: task(app)?.id, edits: {}, fault: null }); },
  keys: {
    p: actions.pauseNode, r: actions.resume, "Meta+Enter": actions.change, Escape: () => document.activeElement?.blur?.(),
    ...Object.fromEntries(["events", "request", "result", "failure"].map((which, i) => [String(i + 1), (app) => { if (task(app)) actions.rawTab(app, which); }])),
  },
  actions: { ...actions, pickTake: (app, id) => { if (id) go(app, { task: id }); } },
  render: (app) => (task(app) ? page(app, task(app)) : nothing),
};
