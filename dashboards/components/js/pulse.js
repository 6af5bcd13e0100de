// Pulse: what runs, what waits for you, how far the project is, and what happened.
import { html, raw, icon, shape, kbd, bar, badge, stack, thumb, line, panel, grow, button, iconButton, segmented, emptyState, clock, percent, span, bytes, ofBytes, ago, many, day, WORDS, ORDER } from "./kit.js";

function activeTakes(app) {
  const { active, next, takes_per_hour: rate } = app.state;
  const rows = active.slice(0, 5).map((take) => html`<div class="take st-generating" data-key="take-${take.id}">${thumb(take.thumb, { width: 80, height: 45 })}<div class="grow"><div class="row between"><span class="ell"><b class="med">${take.character}</b> <span class="muted">${take.detail}</span></span><span class="mono xs">${clock(take.left_s)}<span class="muted"> left</span></span></div>${bar(take.progress, "h6")}<div class="row xs muted"><span>Segment ${take.segment}</span>${take.step && html`<span>·</span><span class="tnum">step ${take.step}</span>`}<span class="grow"></span><span class="mono">${take.worker}</span><span class="tnum secondary pc">${percent(take.progress)}</span></div></div>${iconButton("x", "Cancel this take", "cancelTask", take.id, { size: "sm", disabled: !take.can_cancel })}</div>`);
  const nexts = next.slice(0, 2).map((take) => html`<div class="row xs" data-key="next-${take.id}">${badge("pending", "Next", { plain: true })}<span class="secondary ell">${take.character}</span><span class="muted ell">${take.detail}</span><span class="grow"></span><span class="mono muted">${take.worker}${take.start_s !== null && ` in ${clock(take.start_s)}`}</span></div>`);
  const quiet = emptyState({ title: "Nothing runs", text: "Choose cells in the matrix and submit them; takes appear here as soon as a worker has them.", actions: button("Open matrix", { href: "/matrix", icon: "layout-grid" }), art: false });
  return panel("takes", html`<h2>Active takes</h2>${active.length > 0 && badge("generating", `${active.length} running`)}${grow}${rate !== null && html`<span class="xs muted wide">Throughput <b class="secondary tnum med">${Math.round(rate)} takes/h</b></span>`}<a class="btn ghost sm" href="/queue">Open queue ${kbd("G", "Q")}</a>`,
    html`<div class="takes">${active.length ? rows : quiet}</div>${nexts.length > 0 && html`<div class="nexts">${nexts}</div>`}`);
}

function reviewQueue(app) {
  const review = app.state.review;
  const parts = { approved: review.passed, warning: review.borderline, rejected: review.flagged };
  const stackBar = html`<div class="stack">${Object.entries(parts).filter(([, n]) => n).map(([key, n]) => html`<i class="st-${key}" style="flex:${n} 0 0"></i>`)}</div>`;
  const cards = review.cards.slice(0, 4).map((card, i) => html`<a class="rcard ${i ? "" : "first"}" href="/review?scene=${card.scene_id}" data-key="card-${card.scene_id}">${thumb(card.thumb, { time: `${card.duration_s.toFixed(1)} s` })}<b class="med ell">${card.character}</b><span class="xs muted ell">${card.detail}</span>${badge(card.status, card.word, { plain: true })}</a>`);
  const body = review.total === 0
    ? emptyState({ title: "Nothing waits for you", text: "Scenes appear here when their gates have been checked.", art: false })
    : html`<div class="body rev"><div class="row"><span class="big tnum">${review.total}</span><span class="muted">${review.total === 1 ? "scene waits" : "scenes wait"} for you</span>${grow}${button("Start review", { href: "/review", icon: "play", cls: "primary lg", keys: ["R"] })}</div>${stackBar}<div class="row xs legend">${review.passed > 0 && html`<span class="row g1">${shape("approved")}<b class="med tnum">${review.passed}</b><span class="muted">passed all gates</span></span>`}${review.borderline > 0 && html`<span class="row g1">${shape("warning")}<b class="med tnum">${review.borderline}</b><span class="muted">borderline</span></span>`}${review.flagged > 0 && html`<span class="row g1">${shape("rejected")}<b class="med tnum">${review.flagged}</b><span class="muted">flagged</span></span>`}</div><div class="rcards">${cards}</div></div>`;
  return panel("review", html`<h2>Review queue</h2>${grow}${review.oldest_s !== null && html`<span class="xs muted">Oldest waits <b class="secondary med">${span(review.oldest_s)}</b></span>`}`, body);
}

function progress(app) {
  const { counts, types, due, facts } = app.state;
  const done = counts.approved || 0;
  const legend = ORDER.map((key) => html`<span class="row g1 xs" data-key="${key}">${shape(key)}<span class="secondary grow ell">${WORDS[key]}</span><b class="med tnum">${counts[key] || 0}</b></span>`);
  const rows = types.map((type) => html`<div class="row xs trow" data-key="type-${type.name}"><span class="secondary ell name">${type.name}</span>${stack(type.counts, "grow h6")}<span class="tnum muted n">${type.approved}/${type.total}</span></div>`);
  return panel("progress", html`<h2>Project progress</h2>${grow}${due && html`<span class="xs muted">Delivery due <b class="secondary med">${day(due)}</b></span>`}`,
    html`<div class="body prog"><div class="row"><span class="big tnum">${done}</span><span class="muted">of ${facts.scenes} approved</span>${grow}<span class="tnum secondary">${percent(facts.scenes ? done / facts.scenes : 0)}</span></div>${stack(counts)}<div class="legend8">${legend}</div><div class="trows">${rows}</div></div>`);
}

export function workerRow(worker) {
  const off = worker.status === "none" || worker.status === "failed";
  const memory = worker.memory_total_bytes ? html`${bar((worker.memory_bytes || 0) / worker.memory_total_bytes, "grow quiet")}<span class="mono mem">${off || worker.memory_bytes === null ? bytes(worker.memory_total_bytes, 0) : ofBytes(worker.memory_bytes, worker.memory_total_bytes)}</span>` : html`<span class="muted">${worker.word}</span>`;
  return html`<div class="gpu st-${off ? "none" : "generating"}" data-key="worker-${worker.id}"><div class="gname"><div class="row g1">${shape(worker.status)}<b class="mono med ell">${worker.name}</b></div><div class="xs muted ell">${worker.kind}</div></div>${line(worker.load, 74, 22, { top: 1.04 })}<div class="grow"><div class="xs ell ${off ? "muted" : "secondary"}">${worker.doing}</div><div class="row xs muted tnum">${memory}</div></div><div class="tnum xs right gload"><div class="${off ? "muted" : "secondary"}">${worker.utilisation === null ? worker.word : percent(worker.utilisation)}</div><div class="muted">${worker.temperature_c !== null && `${Math.round(worker.temperature_c)} °C`}</div></div></div>`;
}

function fleet(app) {
  const { workers } = app.state;
  const online = workers.filter((w) => w.status === "generating" || w.status === "approved").length;
  const body = workers.length ? html`<div class="fleet">${workers.slice(0, 6).map(workerRow)}</div>` : emptyState({ title: "No GPU workers", text: "Start local engines, or add the address of a ComfyUI server.", command: "x121 up", art: false });
  return panel("fleet", html`<h2>GPU fleet</h2><span class="xs muted">${online} of ${workers.length} online</span>`, body);
}

function disk(app) {
  const { used_bytes: used, total_bytes: total, parts, full_in_days: full } = app.state.disk;
  const known = parts.reduce((sum, part) => sum + part.bytes, 0);
  return panel("disk", html`<h2>Disk</h2>${grow}${full !== null && html`<span class="xs muted">Full in <b class="secondary med">about ${Math.round(full)} days</b></span>`}`,
    html`<div class="body"><div class="row base"><span class="mid tnum">${bytes(used, 2)}</span><span class="muted">of ${bytes(total, 2)}</span>${grow}<span class="tnum secondary">${percent(used / total)}</span></div><div class="stack parts">${parts.map((part, i) => html`<i class="part${i}" style="flex:${part.bytes} 0 0"></i>`)}<i class="rest" style="flex:${Math.max(0, total - known)} 0 0"></i></div>${parts.map((part, i) => html`<div class="row xs drow"><i class="dotc part${i}"></i><span class="secondary">${part.name}</span>${grow}<span class="mono muted">${bytes(part.bytes, 2)}</span></div>`)}</div>`);
}

function budget(app) {
  const b = app.state.budget;
  if (!b) return panel("budget", html`<h2>Budget</h2><span class="xs muted">GPU hours</span>`, emptyState({ title: "No budget set", text: "GPU time is counted; a limit is not set for this project.", art: false }));
  const W = 404, H = 92, top = Math.max(b.limit_h, b.forecast_h) * 1.06;
  const x = (d) => (d * W) / (b.of - 1), y = (v) => H - (v / top) * H;
  const last = b.days.length - 1;
  const path = b.days.map((v, i) => `${x(i).toFixed(1)} ${y(v).toFixed(1)}`).join("L");
  const over = b.forecast_h > b.limit_h;
  const chart = html`<svg class="budget" viewBox="0 0 ${W} 96" preserveAspectRatio="none"><path class="limit" d="M0 ${y(b.limit_h)}H${W}"/><path class="even" d="M0 ${H}L${W} ${y(b.limit_h)}"/><path class="range" d="M${x(last)} ${y(b.used_h)}L${W} ${y(b.forecast_h * 1.09)}V${y(b.forecast_h * 0.91)}Z"/><path class="fore" d="M${x(last)} ${y(b.used_h)}L${W} ${y(b.forecast_h)}"/><path class="area" d="M${path}L${x(last)} ${H}L0 ${H}Z"/><path class="spent" d="M${path}"/><path class="now" d="M${x(last)} 0V${H}"/><path class="zero" d="M0 ${H}H${W}"/></svg>`;
  return panel("budget", html`<h2>Budget</h2><span class="xs muted">GPU hours, ${b.month}</span>${grow}${badge(over ? "warning" : "approved", over ? "Over by forecast" : "On track")}`,
    html`<div class="body bud"><div class="row base"><span class="mid tnum">${b.used_h.toFixed(1)}</span><span class="muted">of ${b.limit_h} h</span>${grow}<span class="xs muted">today <b class="tnum secondary med">${b.today_h.toFixed(1)}</b> · forecast <b class="tnum secondary med">${Math.round(b.forecast_h)}</b></span></div>${chart}<div class="row between xs muted tnum"><span>Day 1</span><span>Today, day ${b.days.length}</span><span>Day ${b.of}</span></div></div>`);
}

function feed(app) {
  const show = app.local.feed || "all";
  const items = app.state.feed.filter((item) => show === "all" || item[show === "mine" ? "mine" : "problem"]);
  const problems = app.state.feed.filter((item) => item.problem).length;
  const rows = items.slice(0, 24).map((item) => html`<div class="ev" data-key="ev-${item.id}"><span class="evi st-${item.status}">${shape(item.status)}</span><div class="grow"><div class="ell2"><span class="secondary">${item.who}</span> <span class="muted">${item.verb}</span> <b class="med">${item.what}</b></div>${item.more && html`<div class="xs muted ell2">${item.more}</div>`}</div><span class="xs muted tnum when">${ago(item.at, app.now())}</span></div>`);
  return panel("feed", html`<h2>Activity</h2>${grow}${segmented([["all", "All"], ["mine", "Mine"], ["problem", html`Problems <b class="tnum">${problems}</b>`]], show, "feed")}`,
    rows.length ? html`<div class="feed">${rows}</div>` : emptyState({ title: "Nothing here", text: show === "problem" ? "No problems in the last events." : "What people and machines do appears here.", art: false }));
}

export const pulse = {
  title: () => "Pulse",
  crumbs: () => ["Pulse"],
  help: [["R", "Start review"], ["S", "Submit scenes"]],
  keys: { r: (app) => app.open("/review"), s: (app) => app.open("/matrix") },
  commands: () => [{ label: "Start review", act: "open", arg: "/review", icon: "play", keys: ["R"] }, { label: "Submit scenes", act: "open", arg: "/matrix", icon: "plus", keys: ["S"] }],
  actions: { feed: (app, show) => app.set({ feed: show }) },
  render: (app) => {
    const facts = app.state.facts;
    if (!facts.characters) return html`<div class="head"><h1>Pulse</h1></div><div class="page"><section class="panel full">${emptyState({ title: "No portraits yet", text: "Import a folder of portraits. X121 checks each one for face, sharpness and duplicates before anything is made.", command: "x121 import aurora ./portraits --dry-run" })}</section></div>`;
    return html`<div class="head"><h1>Pulse</h1><span class="facts ell">${many(facts.characters, "character")} · ${many(facts.scene_types, "scene type")} · ${many(facts.variants, "variant")} · <b class="secondary med">${many(facts.scenes, "scene")}</b></span>${grow}<span class="xs muted row g1 wide"><i class="livedot ${app.offline ? "" : "on"}"></i>${app.offline ? "Offline" : "Live"}</span>${button("Submit scenes", { href: "/matrix", icon: "plus", keys: ["S"], cls: "wide" })}</div>
<div class="pgrid">${activeTakes(app)}${reviewQueue(app)}${progress(app)}${fleet(app)}${disk(app)}${budget(app)}${feed(app)}</div>`;
  },
};
