// Timeline: ruler, segments, QA marks, notes and a curve under one playhead.
import { html, raw, shape, avatar, attrs } from "./kit.js";

const at = (frame, frames) => `${((frame / frames) * 100).toFixed(3)}%`;

function ruler(frames, fps) {
  const rate = Math.round(fps);
  let step = rate;
  while (frames / step > 14) step *= 2;
  return Array.from({ length: Math.ceil((frames * 0.98) / step) }, (_, i) => html`<span class="tk" style="left:${at(i * step, frames)}"><i></i>${i * step}</span>`);
}

function curve(c) {
  const W = 948, H = 30;
  const y = (v) => (H - ((Math.min(c.high, Math.max(c.low, v)) - c.low) / (c.high - c.low || 1)) * H).toFixed(1);
  const points = c.values.map((v, i) => `${((i / Math.max(1, c.values.length - 1)) * W).toFixed(1)} ${y(v)}`).join("L");
  return html`<svg class="curve st-${c.status}" width="100%" height="30" viewBox="0 0 ${W} ${H}" preserveAspectRatio="none">${c.limit !== null && html`<path class="limit" d="M0 ${y(c.limit)}H${W}"/>`}<path class="a" d="M${points}L${W} ${H}L0 ${H}Z"/><path class="l" d="M${points}"/></svg>`;
}

export function timeline(scene, { segment, range, loop }) {
  const n = scene.frames;
  const fps = scene.fps[0] / scene.fps[1];
  const segments = scene.segments.map((s) => html`<span class="sg ${s.number === segment ? "on" : ""}" data-key="sg-${s.id}" style="left:${at(s.start, n)};width:${at(s.end - s.start, n)}"><b class="med">S${s.number}</b><span class="muted mono xs wide">[${s.start}, ${s.end})</span><span class="grow"></span><span class="muted xs wide">take ${s.takes.find((t) => t.in_cut)?.number ?? "–"} of ${s.takes.length}</span></span>`);
  const marks = scene.marks.map((m) => html`<button type="button" class="qa st-${m.status}" style="left:${at(m.frame, n)};${m.end ? `width:${at(m.end - m.frame, n)}` : ""}" title="${m.text}, frame ${m.frame}" ${attrs("seek", m.frame)}>${shape(m.status)}<span class="c xs wide">${m.text}</span></button>`);
  const notes = scene.notes.filter((x) => x.frame !== null).map((x) => html`<button type="button" class="nt" style="left:${at(x.frame, n)}" title="${x.author}: ${x.text}" ${attrs("seek", x.frame)}>${avatar(x.initials, "sm")}</button>`);
  return html`<div class="tl" data-timeline><div class="lab ruler"></div><div class="trk ruler">${ruler(n, fps)}</div><div class="lab">Segments</div><div class="trk">${segments}</div><div class="lab">QA events</div><div class="trk">${marks}</div><div class="lab">Notes</div><div class="trk">${notes}</div>${scene.curve && html`<div class="lab tall">${scene.curve.name}<span class="mono">${scene.curve.low.toFixed(2)}–${scene.curve.high.toFixed(2)}</span></div><div class="trk tall">${curve(scene.curve)}</div>`}<div class="bounds">${range && html`<u class="${loop ? "loop" : ""}" style="left:${at(range[0], n)};width:${at(range[1] - range[0], n)}"></u>`}${scene.segments.slice(1).map((s) => html`<i style="left:${at(s.start, n)}"></i>`)}<b class="playhead" data-live style="left:0%"></b></div></div>`;
}

// Drag anywhere on the tracks to move the playhead.
export function dragTimeline(element, frames, seek) {
  const bounds = element.querySelector(".bounds");
  const frameAt = (event) => {
    const box = bounds.getBoundingClientRect();
    return Math.floor(Math.min(0.999999, Math.max(0, (event.clientX - box.left) / box.width)) * frames);
  };
  element.onpointerdown = (event) => {
    if (event.target.closest("button") || event.clientX < bounds.getBoundingClientRect().left) return;
    element.setPointerCapture(event.pointerId);
    seek(frameAt(event));
    element.onpointermove = (move) => seek(frameAt(move));
    element.onpointerup = () => { element.onpointermove = null; };
  };
}
