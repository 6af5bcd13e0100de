// Workers: the whole fleet in one table, and everything about the worker that is chosen.
import { html, icon, shape, badge, tag, bar, line, panel, grow, button, emptyState, callout, attrs, ago, hhmm, bytes, ofBytes, percent, clock, many, day } from "./kit.js";
import { ask } from "./shell.js";
import { openForm, formBox, formActions, withForm } from "./forms.js";

const none = html`<span class="muted">–</span>`;
const chosen = (app) => app.state.workers.find((w) => w.id === app.state.chosen?.id) || app.state.workers[0];
const may = (app, what) => (app.state.chosen?.can || []).includes(what);
const degrees = (c) => (c === null || c === undefined ? none : `${Math.round(c)} °C`);
const watts = (w) => (w === null || w === undefined ? none : `${Math.round(w)} W`);
const when = (app, iso) => (iso ? html`<span title="${new Date(iso).toLocaleString("en-GB")}">${ago(iso, app.now())}</span>` : "never");

// ---------------------------------------------------------------- the fleet
function doing(w) {
  if (!w.tasks.length) return html`<span class="ell ${w.aside_until || w.alerts.length ? "c st-warning" : "muted"}" title="${w.doing}">${w.alerts.length ? w.alerts[0].text : w.doing}</span>`;
  const [take, ...more] = w.tasks;
  return html`<a class="row" href="/debugger?task=${take.id}" title="Open in the debugger">${bar(take.progress, "w62", "generating")}<span class="tnum">${percent(take.progress)}</span><span class="ell"><b class="med">${take.character}</b> <span class="muted">${take.detail} · segment ${take.segment}${more.length ? ` and ${more.length} more` : ""}</span></span></a>`;
}

function row(app, w) {
  const gpu = w.gpu, cur = w.id === app.state.chosen?.id;
  const load = gpu?.utilisation ?? (w.slots && ["approved", "generating", "warning"].includes(w.status) ? Math.min(1, w.busy / w.slots) : null);
  return html`<tr class="${cur ? "cur" : ""}" data-key="worker-${w.id}" data-row="${w.id}" ${attrs("pickWorker", w.id)}><td>${badge(w.status, w.word, { plain: true })}</td><td class="what"><div class="row g1"><b class="mono med">${w.name}</b>${w.alerts.length > 0 && html`<span title="${w.alerts.map((a) => a.text).join(" ")}">${shape("warning")}</span>`}</div><div class="xs muted ell">${w.device || w.kind}${w.version && ` · ${w.version}`}</div></td><td class="wdoing">${doing(w)}</td><td class="tnum right">${w.busy}/${w.slots}</td><td class="wload" title="${w.load.of}"><span class="row">${line(w.load.values, 72, 18, { top: 1 })}<span class="tnum right">${load === null ? none : percent(load)}</span></span></td><td class="mono right">${gpu ? ofBytes(gpu.vram_used_bytes, gpu.vram_total_bytes) : w.vram_bytes ? bytes(w.vram_bytes, 0) : none}</td><td class="mono right">${degrees(gpu?.temperature_c)}</td><td class="mono right">${watts(gpu?.power_w)}</td><td class="wide"><span class="row g1">${w.tags.slice(0, 2).map((t) => tag(t))}${w.tags.length > 2 && html`<span class="xs muted">+${w.tags.length - 2}</span>`}</span></td><td class="right tnum ${w.error_streak ? "c st-warning" : "muted"}">${w.error_streak || "–"}</td><td class="muted right">${when(app, w.seen_at)}</td></tr>`;
}

function fleet(app) {
  const { workers, may_manage: manage } = app.state;
  const body = workers.length
    ? html`<div class="scroll"><table class="table wtable"><thead><tr><th>State</th><th>Worker</th><th>Doing</th><th class="n">Slots</th><th>Load</th><th class="n">VRAM</th><th class="n">Hottest</th><th class="n">Power</th><th class="wide">Tags</th><th class="n">Errors in a row</th><th class="n">Heard</th></tr></thead><tbody>${workers.map((w) => row(app, w))}</tbody></table></div>`
    : emptyState({ title: "No worker yet", text: "A worker is a ComfyUI server that runs takes. Add its address; its GPU, nodes and models are read from it.", actions: button("Add worker", { act: "addWorker", icon: "plus", cls: "primary", disabled: !manage }), command: "x121 worker add http://gpu-1:8188 --name gpu-1" });
  return panel("fleetlist", html`<h2>Fleet</h2><span class="badge tag">${workers.length}</span>${grow}<span class="xs muted wide">Asked every 3 s. Set aside after three failures in a row</span>`, body);
}

// ---------------------------------------------------------------- the one that is chosen
function bench(app, w) {
  const possible = (name, label, more) => may(app, name) && button(label, { act: name, cls: "sm", ...more });
  return html`<div class="wbench"><b class="mono mid">${w.name}</b>${badge(w.status, w.word)}<span class="mono xs muted ell">${w.url}</span>${w.tags.map((t) => tag(t))}${grow}${possible("return", "Take back", { icon: "play", cls: "sm primary", keys: ["B"] })}${possible("wake", "Wake", { icon: "activity" })}${possible("drain", "Drain", { icon: "pause", keys: ["D"] })}${possible("maintenance", "Maintenance…", { icon: "wrench", keys: ["M"] })}${possible("sleep", "Sleep", { icon: "moon" })}${possible("restart", "Restart…", { icon: "refresh-cw" })}${possible("edit", "Edit…", { icon: "pencil" })}${possible("remove", "Remove…", { cls: "sm danger-quiet" })}${!app.state.may_manage && html`<span class="xs muted row g1">${icon("lock", "xs")}Admins manage workers</span>`}</div>`;
}

const vital = (label, value, series, top) => html`<div class="vital"><div class="row between"><span class="xs muted">${label}</span><b class="med tnum">${value}</b></div>${line(series, 150, 34, { top })}</div>`;

function vitals(app, w, d) {
  const gpu = w.gpu, agent = d.agent;
  const head = html`<h2>Vitals</h2><span class="xs muted">${gpu ? `${many(gpu.n_gpus, "GPU")}, last 10 min` : ""}</span>${grow}${d.kwh_today !== null && html`<span class="xs muted tnum">${d.kwh_today.toFixed(2)} kWh today</span>`}`;
  const connect = may(app, "agent") && button(d.agent ? "Change agent…" : "Attach agent…", { act: "agent", icon: "plug", cls: "sm" });
  if (!agent) return panel("vit", head, emptyState({ title: "No agent on this host", text: "The agent reports load, memory, temperature and power each second, and restarts what you allow.", actions: connect, command: "x121 agent --config x121-agent.toml", art: false }));
  const words = agent.trouble || agent.no_gpu;
  const notes = html`${agent.trouble && callout("failed", html`${agent.trouble} <span class="muted">Last answer ${when(app, agent.answered_at)}.</span>`)}${!agent.trouble && agent.no_gpu && callout("info", agent.no_gpu)}${gpu?.throttled && callout("warning", html`Slowed down: ${gpu.throttled}.`)}`;
  const most = (values) => Math.max(1, ...values) * 1.15;
  const four = gpu && html`<div class="vitals">${vital("Utilisation", gpu.utilisation === null ? "–" : percent(gpu.utilisation), d.series.utilisation, 1)}${vital("VRAM", ofBytes(gpu.vram_used_bytes, gpu.vram_total_bytes), d.series.vram, 1)}${vital("Temperature", degrees(gpu.temperature_c), d.series.temperature_c, 100)}${vital("Power", watts(gpu.power_w), d.series.power_w, most(d.series.power_w))}</div>`;
  return panel("vit", head, html`<div class="body scrolls">${four}${notes}${!gpu && !words && html`<p class="muted">Nothing was measured yet.</p>`}<div class="row xs muted"><span class="mono ell">${agent.url}</span>${grow}${connect}</div></div>`);
}

function abilities(app, w, d) {
  const speed = d.speed.map((s) => html`<dt class="ell" title="${s.workflow}">${s.workflow}</dt><dd class="mono">${clock(s.mean_s)} <span class="muted">· ${many(s.takes, "take")}</span></dd>`);
  const folders = [...new Set(d.models.map((x) => x.folder))];
  return panel("abl", html`<h2>Abilities</h2>${grow}<span class="xs muted">read ${d.asked_at ? when(app, d.asked_at) : "not yet"}</span>`, html`<div class="body scrolls"><dl class="kv tight"><dt>Server</dt><dd>${w.kind} <span class="mono">${w.version}</span></dd><dt>Device</dt><dd class="ell" title="${w.device}">${w.device || "unknown"}</dd><dt>Video memory</dt><dd class="mono">${w.vram_bytes ? bytes(w.vram_bytes, 0) : "–"}</dd><dt>Node classes</dt><dd class="mono">${d.n_nodes}</dd><dt>Model files</dt><dd class="mono">${d.models.length}${folders.length > 0 && html` <span class="muted">in ${many(folders.length, "folder")}</span>`}</dd></dl>
<h3 class="caps">Warm models</h3>${d.warm.length ? html`<div class="row wrap g1">${d.warm.map((name) => tag(name, "layers"))}</div>` : html`<p class="xs muted">None: its last take loaded no model file.</p>`}
<h3 class="caps">Measured speed, seconds per take</h3>${speed.length ? html`<dl class="kv tight">${speed}</dl>` : html`<p class="xs muted">No take has run here yet.</p>`}</div>`);
}

function health(app, w, d) {
  const plan = d.power;
  const list = d.faults.map((f) => html`<a class="fault" href="/debugger?task=${f.task_id}" data-key="fault-${f.id}">${shape("failed")}<span class="ell2">${f.text}</span><span class="xs muted">${when(app, f.at)}</span></a>`);
  return panel("hea", html`<h2>Health and power</h2>${grow}${may(app, "power") && button("Power plan…", { act: "power", cls: "sm ghost", icon: "sliders-horizontal" })}`, html`<div class="body scrolls">${w.aside_until && callout("blocked", html`Set aside until <b class="med">${hhmm(w.aside_until)}</b> after ${many(w.error_streak, "failure")} in a row.`)}${w.alerts.map((a) => callout("warning", html`${a.text} <span class="muted">since ${hhmm(a.at)}</span>`))}<dl class="kv tight"><dt>Heartbeat</dt><dd>${when(app, w.seen_at)}</dd><dt>Errors in a row</dt><dd class="mono">${w.error_streak} <span class="muted">of 3</span></dd><dt>Sleeps after</dt><dd>${plan?.idle_minutes ? `${plan.idle_minutes} min idle` : "never"}</dd><dt>Woken by</dt><dd class="ell">${plan?.wake ? plan.wake_word : "nobody"}</dd>${plan?.target && html`<dt>Target</dt><dd class="mono ell" title="${plan.target}">${plan.target}</dd>`}<dt>Awake in</dt><dd class="ell" title="${plan?.windows || ""}">${plan?.windows || "every hour"}</dd>${plan?.slept_at && html`<dt>Put to sleep</dt><dd>${when(app, plan.slept_at)}</dd>`}${plan?.woken_at && html`<dt>Woken</dt><dd>${when(app, plan.woken_at)}</dd>`}</dl>
<h3 class="caps">Newest failures</h3>${list.length ? list : html`<p class="xs muted">No take failed here.</p>`}</div>`);
}

function past(app, d) {
  const rows = d.history.map((h) => html`<div class="hist1" data-key="hist-${h.id}">${shape(h.status)}<div class="grow"><div class="row"><b class="med">${h.to}</b>${grow}<span class="xs muted">${when(app, h.at)}</span></div><div class="xs secondary">${h.reason}${h.who !== "X121" && !h.reason.includes(h.who) && html` <span class="muted">${h.who}</span>`}</div></div></div>`);
  return panel("his", html`<h2>History</h2>${grow}<span class="xs muted">${d.history.length ? `since ${day(d.history[d.history.length - 1].at)}` : ""}</span>`, html`<div class="scroll hists">${rows}</div>`);
}

// ---------------------------------------------------------------- what is done
const go = (app, id) => { history.replaceState({}, "", `/workers?worker=${id}`); app.open(`/workers?worker=${id}`, { push: false }); };

function step(app, by) {
  const list = app.state.workers, at = list.findIndex((w) => w.id === app.state.chosen?.id);
  const next = list[Math.min(list.length - 1, Math.max(0, at + by))];
  if (next && next.id !== app.state.chosen?.id) go(app, next.id);
  document.querySelector(`[data-row="${next?.id}"]`)?.scrollIntoView({ block: "nearest" });
}

const facts = (w) => [
  { name: "name", label: "Name", value: w?.name, placeholder: "gpu-1", half: true },
  { name: "slots", label: "Slots", value: w?.slots ?? 1, type: "number", half: true, hint: "Takes that it runs at once, 1 to 16" },
  { name: "tags", label: "Tags", value: w?.tags.join(", "), placeholder: "high-vram, fast", hint: "Apart by commas; a workflow can require them" },
];

const actions = {
  ...formActions,
  pickWorker: (app, id) => go(app, id),
  addWorker: (app) => openForm(app, {
    name: "add_worker", title: "Add a worker", label: "Add worker", wait: "Asking the server…", args: {},
    text: "What answers there is asked for its version, GPU, nodes and models. A server that does not answer yet is added as offline.",
    fields: [{ name: "url", label: "Address of its ComfyUI", placeholder: "http://gpu-1:8188" }, ...facts()],
    done: (value) => go(app, value.worker_id),
  }),
  edit: (app) => { const w = chosen(app); openForm(app, { name: "edit_worker", title: `Edit ${w.name}`, label: "Save", args: { worker_id: w.id }, text: "Takes that run go on.", fields: facts(w) }); },
  agent: (app) => { const w = chosen(app); openForm(app, { name: "attach_agent", title: `Agent on the host of ${w.name}`, label: "Attach", wait: "Asking the agent…", args: { worker_id: w.id }, text: "It is asked at once. Its key is stored encrypted and never shown again.", fields: [{ name: "url", label: "Address", value: app.state.chosen.agent?.url, placeholder: "http://gpu-1:8190" }, { name: "key", label: "Key", type: "password", hint: "What stands in the agent's key file" }] }); },
  power: (app) => {
    const w = chosen(app), plan = app.state.chosen.power;
    openForm(app, { name: "set_power", title: `Power plan of ${w.name}`, label: "Set plan", args: { worker_id: w.id }, text: "Nothing is ever put to sleep in mid-take, nor below the minimum fleet. Without a way to wake it, its power is left alone.", fields: [
      { name: "wake", label: "Woken by", value: plan?.wake || "", half: true, options: [["", "Nobody"], ["lan", "Wake-on-LAN"], ["command", "Configured command"], ["http", "HTTP request"]] },
      { name: "target", label: "Target", value: plan?.target, half: true, placeholder: "AA:BB:CC:DD:EE:FF", hint: app.state.wake_commands.length ? `Commands: ${app.state.wake_commands.join(", ")}` : "MAC address, command or URL" },
      { name: "idle", label: "Sleeps after idle minutes", value: plan?.idle_minutes, half: true, placeholder: "never" },
      { name: "windows", label: "Awake only in", value: plan?.windows, half: true, placeholder: "mon-fri 08:00-22:00" }] });
  },
  restart: async (app) => {
    const w = chosen(app), found = await app.ask("worker_services", { worker_id: w.id });
    if (found.problem) { app.toast({ text: found.problem.text, more: found.problem.hint, status: "failed" }); return; }
    if (!found.services.length) { app.toast({ text: "The agent may restart nothing", more: "Name commands under [services] in its file.", status: "warning" }); return; }
    openForm(app, { name: "restart_service", title: `Restart a service on ${w.name}`, label: "Restart", cls: "danger", wait: "Restarting…", args: { worker_id: w.id }, text: w.busy ? `${many(w.busy, "take")} in flight there will be lost and run again elsewhere. Everything finished is safe.` : "Nothing runs there at the moment.", fields: [{ name: "service", label: "Service", value: found.services[0], options: found.services.map((s) => [s, s]) }] });
  },
  return: (app) => { if (may(app, "return")) app.act("hold_worker", { worker_id: chosen(app).id, how: "return" }); },
  drain: (app) => { if (may(app, "drain")) app.act("hold_worker", { worker_id: chosen(app).id, how: "drain" }); },
  wake: (app) => app.act("switch_worker", { worker_id: chosen(app).id, on: true }),
  sleep: (app) => app.act("switch_worker", { worker_id: chosen(app).id, on: false }),
  maintenance: (app) => {
    const w = chosen(app);
    if (may(app, "maintenance")) ask(app, { title: `Take ${w.name} into maintenance?`, text: w.busy ? "It finishes what it runs, gets nothing more, and its silence is no alarm." : "It gets nothing more, and its silence is no alarm.", label: "Maintenance", field: "Reason, for its history", keys: ["⌘⏎"], done: (reason) => app.act("hold_worker", { worker_id: w.id, how: "maintenance", reason }) });
  },
  remove: (app) => {
    const w = chosen(app);
    ask(app, { title: `Remove ${w.name}?`, text: w.busy ? `${many(w.busy, "take")} that runs there finishes first. It is sent nothing more; its history stays.` : "It is sent nothing more; its history stays. Adding its address again brings it back.", label: "Remove", cls: "danger", status: "failed", done: () => app.act("remove_worker", { worker_id: w.id }) });
  },
};

export const workers = {
  title: () => "Workers",
  crumbs: (app) => (chosen(app) ? ["Workers", chosen(app).name] : ["Workers"]),
  help: [["↑ ↓", "Choose a worker"], ["A", "Add a worker"], ["D", "Drain"], ["M", "Maintenance"], ["B", "Take back"], ["⌘⏎", "Send the form"]],
  commands: (app) => (app.state.may_manage ? [{ label: "Add worker", act: "addWorker", icon: "plus", keys: ["A"] }, ...(chosen(app) ? [{ label: `Power plan of ${chosen(app).name}`, act: "power", icon: "moon" }] : [])] : []),
  keys: withForm({ ArrowUp: (app) => step(app, -1), ArrowDown: (app) => step(app, 1), a: (app) => { if (app.state.may_manage) actions.addWorker(app); }, d: (app) => actions.drain(app), m: (app) => actions.maintenance(app), b: (app) => actions.return(app) }),
  actions,
  render: (app) => {
    const { workers: list, chosen: d, slots, busy, minimum_fleet: least, kwh_today: kwh, may_manage: manage } = app.state, w = chosen(app);
    const online = list.filter((x) => ["approved", "generating", "warning"].includes(x.status)).length;
    return html`<div class="head"><h1>Workers</h1>${list.length > 0 && html`<span class="facts"><b class="secondary med">${online}</b> of ${list.length} answer · <b class="secondary med">${busy}</b> of ${many(slots, "slot")} busy${least > 0 && html` · at least ${least} awake`}${kwh !== null && html` · <b class="secondary med">${kwh.toFixed(2)}</b> kWh today`}</span>`}${grow}${button("Add worker", { act: "addWorker", icon: "plus", cls: "primary", keys: ["A"], disabled: !manage, title: manage ? "" : "Admins manage workers" })}</div><div class="wpage">${fleet(app)}${w && d && html`${bench(app, w)}<div class="wgrid">${vitals(app, w, d)}${abilities(app, w, d)}${health(app, w, d)}${past(app, d)}</div>`}</div>${formBox(app)}`;
  },
};
