// Review: watch, step, judge. Enter alone approves and opens the next scene; 1, 2, 3 decide at once.
import { html, raw, icon, shape, kbd, badge, tag, scorebar, thumb, filmstrip, grow, button, iconButton, chip, emptyState, avatar, attrs, ago, timecode, many, clock } from "./kit.js";
import { Player } from "./player.js";
import { timeline, dragTimeline } from "./timeline.js";
import { ask } from "./shell.js";
import { drift } from "./drift.js";
import { openForm, formBox, formActions, withForm } from "./forms.js";
import { chosenCut, compareActions, compareBar, compareButton, compareHelp, compareKeys, keepInStep, labels, otherGate, otherVideo } from "./compare.js";

const fpsOf = (scene) => scene.fps[0] / scene.fps[1];
const playerOf = (app) => app.local.player;
const frameOf = (app) => playerOf(app)?.shown ?? 0;
const segmentAt = (scene, frame) => scene.segments.find((s) => frame >= s.start && frame < s.end) || scene.segments[scene.segments.length - 1];

// ---------------------------------------------------------------- the player and what it moves
function openPlayer(app) {
  const scene = app.state.scene;
  const video = document.querySelector("video[data-scene]");
  const have = playerOf(app);
  if (!scene || !video) { have?.close(); app.local.player = null; return; }
  if (have && have.video === video && app.local.playing_ === scene.video) return;
  have?.close();
  const player = new Player(video, { fps: fpsOf(scene), frames: scene.frames });
  Object.assign(app.local, { player, playing_: scene.video, range: null, broken: false });
  player.addEventListener("frame", () => showFrame(app));
  player.addEventListener("state", () => app.draw());
  player.addEventListener("broken", () => { if (!player.gone) app.set({ broken: true }); });
  if (video.getAttribute("src") !== scene.video) { video.src = scene.video; video.load(); }
  showFrame(app);
  preload(app);
}

function preload(app) {
  if (!app.state.next_video || app.local.next_ === app.state.next_video) return;
  app.local.next_ = app.state.next_video;
  const ahead = document.createElement("video");
  Object.assign(ahead, { preload: "auto", muted: true, src: app.state.next_video });
  app.local.ahead = ahead;
}

const pad = (n) => String(n).padStart(4, "0");

function showFrame(app) {
  const scene = app.state.scene, player = playerOf(app);
  if (!scene || !player) return;
  const frame = player.shown, fps = fpsOf(scene);
  const write = (name, text) => document.querySelectorAll(`[data-live="${name}"]`).forEach((el) => { if (el.textContent !== text) el.textContent = text; });
  write("frame4", pad(frame));
  write("frame", `f ${frame}`);
  write("timecode", timecode(frame, fps));
  const head = document.querySelector(".playhead");
  if (head) head.style.left = `${(((frame + 0.5) / scene.frames) * 100).toFixed(3)}%`;
  const stage = document.querySelector(".stage");
  stage?.setAttribute("data-live-frame", frame);
  stage?.setAttribute("data-live-by", player.confirmedBy);
  const number = segmentAt(scene, frame).number;
  if (number !== app.local.segment) { app.local.segment = number; app.draw(); }
}

// ---------------------------------------------------------------- markup
function stage(app, scene) {
  const cmp = scene.others.some((cut) => cut.id === app.local.cmp?.id) ? app.local.cmp : null;
  return html`<div class="stage" data-key="stage"><div class="pair ${cmp ? `cmp ${cmp.mode}` : ""}" data-key="pair" style="--wipe:${cmp?.wipe ?? 50}%"><div class="video" data-keep data-key="video-${scene.video}" style="aspect-ratio:${scene.width} / ${scene.height}"><video data-scene="${scene.id}" ${raw(scene.poster ? `poster="${scene.poster}"` : "")} muted playsinline preload="auto" disablepictureinpicture></video><span class="hud mono lt"><span class="strong" data-live="frame4">0000</span><em>/${pad(scene.frames)}</em></span><span class="hud mono lt2" data-live="timecode">00:00:00:00</span><span class="hud rb ai">${scene.credit}</span></div>${otherVideo(app)}${labels(app, scene)}</div>${app.local.broken && html`<div class="novideo">${shape("failed", "big")}<b>The review copy can not be played</b><span>The original is safe. Make a new review copy, or run x121 doctor.</span></div>`}<div class="meta wide"><div><span class="caps">Segment</span><b>${app.local.segment || 1} of ${scene.segments.length}</b></div><div><span class="caps">Size</span><b>${scene.width} × ${scene.height}</b></div><div><span class="caps">Length</span><b>${(scene.frames / fpsOf(scene)).toFixed(1)} s</b></div></div></div>`;
}

function transport(app, scene) {
  const player = playerOf(app);
  const loop = player?.loop;
  const loopWord = loop && app.local.range ? `[${loop[0]}, ${loop[1]})` : `S${app.local.segment || 1}`;
  return html`<div class="transport"><span class="mono tc" data-live="timecode">00:00:00:00</span><span class="mono muted" data-live="frame">f 0</span>${grow}<span class="row g1"><span class="wide">${kbd("J")}</span>${iconButton("rewind", "Play backwards  J", "shuttle", -1, { cls: player?.direction < 0 ? "on" : "" })}</span>${iconButton("step-back", "Previous frame  ←", "step", -1)}<span class="row g1"><button type="button" class="btn primary playbtn" ${attrs("toggle")} aria-label="${player?.playing ? "Pause" : "Play"}">${icon(player?.playing ? "pause" : "play", "sm")}</button><span class="wide">${kbd("K")}</span></span>${iconButton("step-forward", "Next frame  →", "step", 1)}<span class="row g1">${iconButton("fast-forward", "Play, faster  L", "shuttle", 1, { cls: player?.direction > 0 && player.speed > 1 ? "on" : "" })}<span class="wide">${kbd("L")}</span></span>${grow}${chip(html`Loop ${loopWord} ${kbd("/")}`, "loop", null, { on: Boolean(loop) })}${chip(`${player?.speed ?? 1}×`, "speed", 1)}<span class="mono muted wide">${+fpsOf(scene).toFixed(2)} fps</span><span class="mono muted wide">${timecode(scene.frames, fpsOf(scene))}</span>${compareButton(app, scene)}</div>${compareBar(app, scene)}`;
}

function strip(app, scene) {
  const groups = scene.segments.map((s) => html`<div class="sgroup ${s.number === app.local.segment ? "on" : ""}" data-key="group-${s.id}"><div class="row xs between sgh"><span><b class="med">S${s.number}</b> <span class="muted mono">f ${s.start}–${s.end - 1}</span></span></div><div class="row takes_">${s.takes.map((t) => html`<button type="button" class="tcard ${t.in_cut ? "cut" : ""}" title="Segment ${s.number}, take ${t.number}" data-key="take-${t.id}" ${attrs("seek", s.start)}>${t.in_cut && s.strip ? filmstrip(s.strip, s.strip_frames, "cardfilm") : thumb(t.thumb, { cls: "cardfilm" })}<span class="row xs between"><span class="secondary">T${t.number}</span><span class="row g1 st-${t.status}">${shape(t.status)}<span class="c">${t.word}</span></span></span></button>`)}</div></div>`);
  return html`<div class="strip">${groups}<button type="button" class="retake" ${attrs("retake")}>${icon("rotate-ccw", "sm")}<span class="xs">Retake</span></button>${scene.higher.tiers.length > 0 && html`<button type="button" class="retake up" title="${scene.higher.may ? "Make all segments again at a higher tier  U" : "Creators and Admins submit"}" ${attrs("raise")} ${raw(scene.higher.may ? "" : "disabled")}>${icon("arrow-up", "sm")}<span class="xs">${many(scene.higher.tiers.length, "tier")} up</span></button>`}</div>`;
}

function decide(app, scene) {
  const decided = app.local.decided;
  const reasons = decided && app.state.reasons[decided.outcome];
  const may = app.state.may_decide;
  const big = (outcome, label, name, key) => html`<button type="button" class="big ${outcome} ${decided?.outcome === outcome || (!decided && outcome === "approve") ? "on" : ""}" ${attrs("decide", outcome)} ${raw(may ? "" : "disabled")}>${icon(name, "lg")}<span>${label}</span>${kbd(key)}</button>`;
  const more = reasons?.length
    ? html`<div class="row reasons"><span class="muted">Why?</span>${reasons.map((r, i) => chip(html`${r.name}${i < 6 && kbd(String(i + 4))}`, "reason", r.id, { on: decided.reason === r.id }))}</div>${grow}`
    : html`${grow}${button("Note", { act: "note", icon: "message-square", cls: "lg ghost wide", keys: ["N"] })}${button(`Retake from S${app.local.segment || 1}`, { act: "retake", icon: "rotate-ccw", cls: "lg ghost wide", keys: ["T"] })}`;
  return html`<div class="decide">${big("approve", "Approve", "check", "1")}${big("reject", "Reject", "x", "2")}${big("flag", "Flag", "flag", "3")}${more}${button(decided ? "Next scene" : "Approve, next scene", { act: "enter", cls: "lg next", keys: ["⏎"], disabled: !may })}</div>`;
}

function gates(app, scene) {
  const count = (status) => scene.gates.filter((g) => g.status === status).length;
  const sums = [["approved", "passed"], ["warning", "borderline"], ["failed", "failed"]].filter(([k]) => count(k)).map(([k, w]) => html`<span class="xs">${badge(k, `${count(k)} ${w}`, { plain: true })}</span>`);
  return html`<section><header class="row"><span class="sub">Gates</span><span class="xs muted ell">${scene.profile}${chosenCut(app) && html` · at the right <b class="med">${chosenCut(app).tier} ${chosenCut(app).version}</b>`}</span>${grow}${sums}</header>${scene.gates.length === 0 && html`<p class="muted xs">No gate has been measured yet.</p>`}${scene.gates.map((g) => html`<button type="button" class="gate st-${g.status}" title="${g.reason}" ${attrs(g.frame === null ? "nothing" : "seek", g.frame)}>${shape(g.status)}<span class="ell">${g.name} <span class="xs muted">${g.unit}</span></span>${scorebar(g.fill, g.mark, g.status)}<span class="mono xs right ${g.status === "approved" ? "" : "c"}">${g.value}</span><span class="mono xs muted right">${otherGate(app, g.name) || g.limit}</span></button>`)}</section>`;
}

function notes(app, scene) {
  const rows = scene.notes.map((n) => html`<div class="note" data-key="note-${n.id}">${avatar(n.initials, "sm")}<div class="grow"><div class="row xs"><b class="med ell">${n.author}</b>${n.frame === null ? html`<span class="mono accent">Whole scene</span>` : html`<button type="button" class="mono accent link" ${attrs("seek", n.frame)}>${timecode(n.frame, fpsOf(scene))} · f ${n.frame}</button>`}${grow}<span class="muted">${ago(n.at, app.now())}</span></div><div>${n.text}</div>${n.word && html`<div class="xs row g1 st-${n.status}">${shape(n.status)}<span class="muted">${n.word}</span></div>`}</div></div>`);
  return html`<section class="notes"><header class="row"><span class="sub">Notes</span>${tag(scene.notes.length)}${grow}${button("Add", { act: "note", cls: "ghost sm", keys: ["N"] })}</header>${rows.length ? rows : html`<p class="muted xs">No notes. N writes one at the frame shown.</p>`}</section>`;
}

const receipt = (scene) => html`<section class="wide"><header class="row"><span class="sub">Receipt</span><span class="xs">${badge(scene.fresh ? "approved" : "warning", scene.fresh ? "Fresh" : "Stale", { plain: true })}</span>${grow}${button("Copy", { act: "copy", icon: "copy", cls: "ghost sm" })}</header><dl class="rec">${scene.receipt.map(([k, v]) => html`<dt>${k}</dt><dd class="${k === "Retaken" ? "told xs" : "ell"}" title="${v}">${v}</dd>`)}</dl></section>`;

function head(app, scene) {
  const s = app.state;
  return html`<div class="head slim">${thumb(scene.thumb, { width: 26, height: 26, position: "50% 20%" })}<h1 class="ell">${scene.character}</h1><span class="facts ell">${scene.detail} · <b class="secondary med">${scene.version}</b></span>${badge(scene.status, scene.word)}<span class="wide row">${scene.badges.map((b) => badge(b.status, b.text))}</span>${grow}${s.group && html`<span class="row g1 xs">${tag(s.group.name)}<a class="lnk" href="/review">All</a></span>`}<span class="row g1">${iconButton("chevron-left", "Previous scene  ⇧K", "previous", null, { disabled: !s.previous_id })}<span class="qn"><b class="tnum">${s.position}</b> of <b class="tnum">${s.total}</b></span>${iconButton("chevron-right", "Next scene  ⇧J", "next", null, { disabled: !s.next_id })}</span></div>`;
}

// ---------------------------------------------------------------- what keys do
function go(app, id) {
  const query = new URLSearchParams({ ...(id && { scene: id }), ...(app.state.group && { group: app.state.group.id }) });
  app.open(`/review${String(query) && `?${query}`}`);
}
const step = (by) => (app) => playerOf(app)?.step(by);

async function decideNow(app, outcome, { next = false } = {}) {
  const scene = app.state.scene;
  if (!scene || !app.state.may_decide || app.local.deciding) return;
  app.local.deciding = true;
  const answer = await app.ask("decide", { scene_id: scene.id, outcome, frame: frameOf(app) });
  app.local.deciding = false;
  if (answer.problem) { app.toast({ text: answer.problem.text, more: answer.problem.hint, status: "failed" }); return; }
  app.toast({ text: answer.text, more: answer.more, status: { approve: "approved", reject: "rejected", flag: "warning" }[outcome], seconds: answer.undo_s, action: { act: "undo", arg: answer.decision_id, label: "Undo", key: "⌘Z" } });
  const after = app.state.group ? app.state.next_id : answer.next_id; // review keeps to its group
  if (next) go(app, after); else app.set({ decided: { id: answer.decision_id, outcome, next: after, scene: scene.id, reason: null, seen: app.state.decision?.id === answer.decision_id } });
}

function enter(app) {
  const decided = app.local.decided;
  if (decided) { app.local.decided = null; go(app, decided.next ?? app.state.next_id); } else decideNow(app, "approve", { next: true });
}

function reason(app, id) {
  const decided = app.local.decided;
  if (!decided) return;
  decided.reason = id;
  app.act("give_reason", { decision_id: decided.id, reason: id });
}

function setRange(app, which) {
  const n = app.state.scene.frames, frame = frameOf(app);
  const [a, b] = app.local.range || [0, n];
  const range = which === "in" ? [frame, Math.max(b, frame + 1)] : [Math.min(a, frame), frame + 1];
  app.local.range = range;
  playerOf(app).setLoop(range);
}

function loop(app) {
  const player = playerOf(app);
  const s = segmentAt(app.state.scene, frameOf(app));
  player?.setLoop(player.loop ? null : app.local.range || [s.start, s.end]);
}

function writeNote(app) {
  const frame = frameOf(app), scene = app.state.scene;
  playerOf(app)?.stop();
  ask(app, { title: `Note at frame ${frame}`, text: `${timecode(frame, fpsOf(scene))} · ${scene.character}, ${scene.detail}`, field: "What should be looked at?", status: "info", label: "Save note", keys: ["⌘⏎"], done: (text) => text.trim() && app.act("note", { scene_id: scene.id, text: text.trim(), frame }) });
}

function retake(app) {
  const frame = frameOf(app), scene = app.state.scene, s = segmentAt(scene, frame);
  ask(app, { title: `Retake from segment ${s.number}?`, text: `Segments ${s.number} to ${scene.segments.length} are made again from frame ${s.start}. The takes there are now stay stored.`, status: "info", label: "Retake", keys: ["⌘⏎"], done: () => app.act("retake", { scene_id: scene.id, frame }) });
}

const cost = (t) => (t.gpu_s === null ? "no history" : `about ${clock(t.gpu_s)} GPU time, ${clock(t.low_s)} to ${clock(t.high_s)}`);

function raiseTier(app) {
  const scene = app.state.scene, up = scene?.higher;
  if (!up?.tiers.length || !up.may) return;
  playerOf(app)?.stop();
  openForm(app, { name: "raise_scene", title: "Make this scene again at a higher tier", label: "Queue", args: { scene_id: scene.id }, text: `All ${many(up.takes, "segment")} with the same workflow, seeds, prompts and parameters as now. What is made at ${up.tier} stays, and both can be compared.`, fields: [{ name: "tier", label: "Tier", value: up.tiers[up.tiers.length - 1].name, options: up.tiers.map((t) => [t.name, `${t.name}: ${cost(t)}`]) }] });
}

const digit = (outcome, index) => (app) => {
  const reasons = app.local.decided && app.state.reasons[app.local.decided.outcome];
  if (reasons?.[index]) reason(app, reasons[index].id); else if (outcome) decideNow(app, outcome);
};

export const review = {
  title: (app) => (app.state.scene ? `Review: ${app.state.scene.character}` : "Review"),
  crumbs: (app) => (app.state.scene ? ["Review", app.state.scene.character, app.state.scene.detail] : ["Review"]),
  help: [["⏎", "Approve and open the next scene"], ["1 2 3", "Approve, reject, flag at once"], ["4 – 9", "Reason, after a decision"], ["Space", "Play or pause"], ["J K L", "Backwards, stop, forwards; again: faster"], ["← →", "One frame"], ["⇧← ⇧→", "Ten frames"], ["Home End", "First, last frame"], ["- +", "Slower, faster (0.1–4×)"], ["I O", "Range in, out"], ["/", "Loop range or segment"], ["N", "Note at this frame"], ["T", "Retake from the segment at the playhead"], ...compareHelp, ["U", "Make again at a higher tier"], ["⇧J ⇧K", "Next, previous scene"], ["⌘Z", "Undo the decision"]],
  opened: (app) => { app.local.segment = 1; },
  closed: (app) => { app.local.follower?.close(); playerOf(app)?.close(); },
  changed: (app) => {
    const decided = app.local.decided;
    if (!decided) return;
    const stands = app.state.decision?.id === decided.id;
    if (decided.scene !== app.state.scene?.id || (decided.seen && !stands)) app.local.decided = null; else decided.seen ||= stands;
  },
  drawn: (app) => {
    openPlayer(app);
    const element = document.querySelector("[data-timeline]");
    if (element && playerOf(app)) dragTimeline(element, app.state.scene.frames, (frame) => playerOf(app).seek(frame));
    keepInStep(app, playerOf(app));
    showFrame(app);
  },
  keys: withForm({
    ...compareKeys, u: raiseTier,
    Enter: enter, 1: digit("approve", -1), 2: digit("reject", -1), 3: digit("flag", -1), 4: digit("", 0), 5: digit("", 1), 6: digit("", 2), 7: digit("", 3), 8: digit("", 4), 9: digit("", 5),
    " ": (app) => playerOf(app)?.toggle(), k: (app) => playerOf(app)?.stop(), j: (app) => playerOf(app)?.shuttle(-1), l: (app) => playerOf(app)?.shuttle(1),
    ArrowLeft: step(-1), ArrowRight: step(1), "Shift+ArrowLeft": step(-10), "Shift+ArrowRight": step(10), Home: (app) => playerOf(app)?.seek(0), End: (app) => playerOf(app)?.seek(app.state.scene.frames - 1),
    "-": (app) => playerOf(app)?.setSpeed(-1), "+": (app) => playerOf(app)?.setSpeed(1), "=": (app) => playerOf(app)?.setSpeed(1),
    i: (app) => setRange(app, "in"), o: (app) => setRange(app, "out"), "/": loop, Escape: (app) => { if (app.local.cmp) app.local.cmp = null; else { app.local.range = null; playerOf(app)?.setLoop(null); } },
    n: writeNote, t: retake, "Shift+j": (app) => app.state.next_id && go(app, app.state.next_id), "Shift+k": (app) => app.state.previous_id && go(app, app.state.previous_id),
  }),
  actions: {
    ...formActions, ...compareActions, raise: raiseTier, enter, reason, loop, note: writeNote, retake,
    decide: (app, outcome) => decideNow(app, outcome),
    toggle: (app) => playerOf(app)?.toggle(), step: (app, by) => playerOf(app)?.step(by), shuttle: (app, direction) => playerOf(app)?.shuttle(direction),
    speed: (app) => { const p = playerOf(app); if (p) p.setSpeed(p.speed >= 4 ? -6 : 1); }, seek: (app, frame) => playerOf(app)?.seek(frame),
    previous: (app) => go(app, app.state.previous_id), next: (app) => go(app, app.state.next_id),
    copy: (app) => { navigator.clipboard?.writeText(app.state.scene.receipt.map((row) => row.join(": ")).join("\n")); app.toast({ text: "Receipt copied", status: "approved", seconds: 2 }); },
  },
  render: (app) => {
    const scene = app.state.scene;
    if (!scene) return html`<div class="head"><h1>Review</h1></div><div class="page"><section class="panel full">${emptyState({ title: "Nothing waits for review", text: "Scenes come here when they are finished and their gates have been checked.", actions: html`${button("Open queue", { href: "/queue", icon: "chart-gantt" })}${button("Open deliveries", { href: "/deliveries", icon: "package-check" })}` })}</section></div>`;
    return html`${head(app, scene)}<div class="rv"><div class="left">${stage(app, scene)}${transport(app, scene)}${timeline(scene, { segment: app.local.segment, range: app.local.range, loop: playerOf(app)?.loop })}${strip(app, scene)}${decide(app, scene)}</div><aside class="side">${gates(app, scene)}${drift(scene, attrs)}${notes(app, scene)}${receipt(scene)}</aside></div>${formBox(app)}`;
  },
};
