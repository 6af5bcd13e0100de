// Two cuts of one scene in step: the one on the stage leads, the other follows frame by frame. One transport for both.
import { html, raw, kbd, chip, segmented, shape, button, attrs, icon, clock } from "./kit.js";
import { Player } from "./player.js";

const NEAR = 4; // frames that a playing follower catches up by its speed; beyond, it seeks
const CATCH_UP = 0.06; // share of the speed per frame behind

// Where a frame of one cut lies in the other: in the same segment, as far from its start; cuts whose segments differ in
// number are compared by their times.
export function sameMoment(frame, from, to) {
  const fps = (cut) => cut.fps[0] / cut.fps[1];
  const clamp = (n, low, high) => Math.min(high, Math.max(low, n));
  const at = from.segments.findIndex(([start, end]) => frame >= start && frame < end);
  if (from.segments.length !== to.segments.length || at < 0) return clamp(Math.round((frame * fps(to)) / fps(from)), 0, to.frames - 1);
  const [start, end] = to.segments[at];
  return clamp(start + Math.round(((frame - from.segments[at][0]) * fps(to)) / fps(from)), start, end - 1);
}

export class Follower {
  constructor(lead, video, from, to) {
    this.lead = lead;
    this.video = video;
    this.from = from;
    this.to = to;
    this.player = new Player(video, { fps: to.fps[0] / to.fps[1], frames: to.frames });
    this.hear = () => this.follow();
    lead.addEventListener("frame", this.hear);
    lead.addEventListener("state", this.hear);
    video.src = to.video;
    video.load();
    this.follow();
  }

  close() {
    this.lead.removeEventListener("frame", this.hear);
    this.lead.removeEventListener("state", this.hear);
    this.player.close();
  }

  get wanted() { return sameMoment(this.lead.shown, this.from, this.to); }

  // Whether both stand, and on the same moment.
  get inStep() { return !this.lead.playing && !this.lead.busy && !this.player.busy && this.player.shown === this.wanted; }

  follow() {
    const { lead, player, wanted } = this;
    if (lead.direction > 0 && !lead.busy) this.chase(wanted - player.shown, wanted);
    else if (player.shown !== wanted || player.playing || player.busy) player.seek(wanted); // stands, steps or goes backwards
  }

  chase(behind, wanted) {
    const { lead, player, video } = this;
    if (Math.abs(behind) > NEAR && !player.busy) player.seek(wanted, { keep: true }).then(() => { if (lead.direction > 0) video.play().catch(() => {}); });
    if (player.direction <= 0) player.play(1, lead.speed);
    video.playbackRate = Math.min(8, Math.max(0.0625, lead.speed * (1 + CATCH_UP * behind)));
  }
}

// ---------------------------------------------------------------- what is compared
export const MODES = [["side", html`Side by side ${kbd("C")}`], ["wipe", html`Wipe ${kbd("W")}`], ["diff", html`Difference ${kbd("D")}`]];
export const chosenCut = (app) => app.local.cmp && app.state.scene?.others.find((cut) => cut.id === app.local.cmp.id);

export function turn(app, mode) {
  const { others } = app.state.scene || { others: [] }, now = app.local.cmp;
  if (!others.length) { app.toast({ text: "There is no other cut to compare with", more: "Make it again at a higher tier, or retake a segment.", status: "info" }); return; }
  app.set({ cmp: now?.mode === mode ? null : { id: chosenCut(app)?.id || others[0].id, mode, wipe: now?.wipe ?? 50 } });
}

export const choose = (app, id) => app.set({ cmp: { ...(app.local.cmp || { mode: "side", wipe: 50 }), id } });
export const nextCut = (app) => { const list = app.state.scene.others, at = list.findIndex((c) => c.id === app.local.cmp?.id); if (list.length && app.local.cmp) choose(app, list[(at + 1) % list.length].id); };
export const wipeBy = (app, by) => { if (app.local.cmp?.mode === "wipe") app.set({ cmp: { ...app.local.cmp, wipe: Math.min(100, Math.max(0, app.local.cmp.wipe + by)) } }); };

const label = (cut) => `${cut.tier} ${cut.version}`;

export function otherVideo(app) {
  const cut = chosenCut(app);
  if (!cut) return "";
  return html`<div class="video other" data-keep data-key="other-${cut.video}"><video data-other="${cut.id}" ${raw(cut.poster ? `poster="${cut.poster}"` : "")} muted playsinline preload="auto" disablepictureinpicture></video><span class="hud rb ai">AI-generated</span></div>`;
}

export function labels(app, scene) {
  const cut = chosenCut(app), cmp = app.local.cmp;
  if (!cut) return "";
  return html`<span class="hud cmpl a">${label(scene)} <em class="mono" data-live="frame4">0000</em></span><span class="hud cmpl b ${app.local.apart ? "c st-failed" : ""}">${label(cut)} <em class="mono" data-live="other4">0000</em></span>${cmp.mode === "wipe" && html`<b class="wipeline" role="slider" tabindex="0" aria-label="Wipe: left ${label(scene)}, right ${label(cut)}" aria-valuemin="0" aria-valuemax="100" aria-valuenow="${Math.round(cmp.wipe)}" title="Drag, or , and ." style="left:${cmp.wipe}%"></b>`}${cmp.mode === "diff" && html`<i class="amp"></i>`}`;
}

const delta = (now, then) => (now && then ? ` (${now >= then ? "×" : "÷"} ${(now >= then ? now / then : then / now).toFixed(1)})` : "");

export function compareBar(app, scene) {
  const cut = chosenCut(app), cmp = app.local.cmp;
  if (!cut) return "";
  const choices = scene.others.map((c) => chip(label(c), "cmpCut", c.id, { on: c.id === cut.id }));
  return html`<div class="cmpbar" role="region" aria-label="Comparison"><b class="med">${label(scene)}</b><span class="muted">against</span>${choices}${scene.others.length > 1 && kbd("V")}<span class="grow"></span><span class="xs secondary tnum wide">${scene.width}×${scene.height} against ${cut.width}×${cut.height}${delta(scene.width * scene.height, cut.width * cut.height)}${cut.run_s !== null && html` · ${clock(cut.run_s)} GPU`}</span>${segmented(MODES, cmp.mode, "cmpMode")}<button type="button" class="iconbtn" title="End the comparison  Esc" aria-label="End the comparison" ${attrs("cmpOff")}>${icon("x", "sm")}</button></div>`;
}

// The gates of the other cut, beside those of the one on the stage.
export function otherGate(app, name) {
  const found = chosenCut(app)?.gates.find((g) => g.name === name);
  return found ? html`<span class="mono xs othergate st-${found.status}" title="In the other cut">${shape(found.status)}<span class="c">${found.value}</span></span>` : chosenCut(app) ? html`<span class="mono xs muted othergate">–</span>` : "";
}

export const compareButton = (app, scene) => scene.others.length > 0 && button("Compare", { act: "cmpMode", arg: app.local.cmp?.mode || "side", icon: "columns-2", cls: `sm wide ${app.local.cmp ? "on" : ""}`, keys: ["C"] });

// ---------------------------------------------------------------- life of the follower
export function keepInStep(app, player) {
  const cut = chosenCut(app), scene = app.state.scene, video = cut && document.querySelector(`video[data-other="${cut.id}"]`), have = app.local.follower;
  if (have && (!video || have.video !== video || have.lead !== player)) { have.close(); app.local.follower = null; }
  if (!video || !player || app.local.follower) return;
  const from = { fps: scene.fps, frames: scene.frames, segments: scene.segments.map((s) => [s.start, s.end]) };
  const follower = new Follower(player, video, from, cut);
  app.local.follower = follower;
  const show = () => {
    const text = String(follower.player.shown).padStart(4, "0");
    document.querySelectorAll('[data-live="other4"]').forEach((el) => { if (el.textContent !== text) el.textContent = text; });
  };
  follower.player.addEventListener("frame", show);
  follower.player.addEventListener("broken", () => { if (!follower.player.gone) { app.set({ cmp: null }); app.toast({ text: "The other cut can not be played", more: "The original is safe. Run x121 doctor.", status: "failed" }); } });
  show();
  dragWipe(app);
}

function dragWipe(app) {
  const pair = document.querySelector(".pair");
  if (!pair || pair.onpointerdown) return;
  const to = (event) => { const box = pair.getBoundingClientRect(); app.set({ cmp: { ...app.local.cmp, wipe: Math.min(100, Math.max(0, ((event.clientX - box.left) / box.width) * 100)) } }); };
  pair.onpointerdown = (event) => {
    if (app.local.cmp?.mode !== "wipe") return;
    pair.setPointerCapture(event.pointerId);
    to(event);
    pair.onpointermove = to;
    pair.onpointerup = () => { pair.onpointermove = null; };
  };
}

export const compareKeys = {
  c: (app) => turn(app, "side"), w: (app) => turn(app, "wipe"), d: (app) => turn(app, "diff"), v: nextCut, ",": (app) => wipeBy(app, -2), ".": (app) => wipeBy(app, 2),
};
export const compareActions = { cmpMode: turn, cmpCut: choose, cmpOff: (app) => app.set({ cmp: null }) };
export const compareHelp = [["C", "Compare side by side"], ["W D", "Wipe, difference"], [", .", "Move the wipe"], ["V", "Compare with the next cut"]];
