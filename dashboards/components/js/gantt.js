// The plan on every worker: past, running and planned takes as bars, the line that is now, and a day of the past.
import { html, icon, shape, attrs, hhmm, clock, percent, span as words } from "./kit.js";

const PAST_S = 1800;
export const SPANS = { 1800: "30 min", 4800: "80 min", 21600: "6 h", 86400: "24 h" };

// What part of time is shown, in seconds from now: the history's day, else around now.
function view(app) {
  const drift = (app.now() - Date.parse(app.state.now)) / 1000;
  const past = app.state.history;
  if (past) {
    const from = (Date.parse(past.from) - Date.parse(app.state.now)) / 1000;
    return { from, span: (Date.parse(past.until) - Date.parse(past.from)) / 1000, drift: 0, past };
  }
  const span = app.local.span || 4800;
  return { from: -Math.min(PAST_S, span * 0.375), span, drift, past: null };
}

export const projectClass = (app, name) => { const all = [...new Set([...app.state.shares.map((s) => s.name), ...app.state.tasks.map((t) => t.project)])]; return `p${Math.max(0, all.indexOf(name)) % 3}`; };

export function gantt(app) {
  const v = view(app);
  const x = (s) => (((s - v.from) / v.span) * 100).toFixed(3);
  const step = v.span <= 1800 ? 300 : v.span <= 4800 ? 600 : v.span <= 21600 ? 3600 : 10800;
  const start = Date.parse(app.state.now) + v.drift * 1000 + v.from * 1000;
  const ticks = [];
  for (let t = Math.ceil(start / 1000 / step) * step; t < start / 1000 + v.span * 0.97; t += step) ticks.push(t - (start / 1000 - v.from));
  const shown = (b) => b.end_s - v.drift > v.from && b.start_s - v.drift < v.from + v.span && (!v.past || !["plan", "down"].includes(b.kind)) && (!app.local.project || b.project === app.local.project || b.kind === "down");
  const lanes = app.state.lanes.map(({ worker, bars }) => {
    const day = v.past?.workers.find((w) => w.id === worker.id);
    const used = day ? html`<span title="${day.takes} takes, ${words(day.busy_s)} of 24 h">${percent(day.utilisation)}</span>` : worker.utilisation === null ? worker.word : percent(worker.utilisation);
    return html`<div class="gn" data-key="lane-${worker.id}"><div class="grow"><div class="row g1">${shape(worker.status)}<b class="mono med ell">${worker.name}</b></div><div class="xs muted ell">${worker.kind}</div></div><span class="xs tnum secondary">${used}</span></div><div class="gt" data-key="track-${worker.id}">${day && day.idle.map(([a, b]) => idle(a, b, x, v))}${bars.filter(shown).map((b) => ganttBar(app, b, v.drift, x, v.span))}</div>`;
  });
  const axis = ticks.filter((t) => (v.past || Math.abs(t) > v.span * 0.05) && t > v.from + v.span * 0.02).map((t) => html`<span class="ax" style="left:${x(t)}%">${hhmm(new Date(start + (t - v.from) * 1000).toISOString())}</span>`);
  const nowLine = (!v.past || v.from + v.span > -60) && html`<b style="left:${Math.min(100, x(0))}%"><span>Now ${hhmm(new Date(start - v.from * 1000).toISOString())}</span></b>`;
  return html`<div class="panel ganttbox"><div class="gantt"><div class="gn ghd xs muted">Worker</div><div class="gt ghd">${axis}</div>${lanes}<div class="gover">${ticks.map((t) => html`<i style="left:${x(t)}%"></i>`)}${nowLine}</div></div></div>`;
}

const idle = (a, b, x, v) => { const low = Math.max(a, v.from), high = Math.min(b, v.from + v.span); return html`<span class="idle hatch" data-key="idle-${Math.round(a)}" title="Idle for ${words(b - a)}" style="left:${x(low)}%;width:${(((high - low) / v.span) * 100).toFixed(3)}%"><span class="xs muted">idle ${words(b - a)}</span></span>`; };

function ganttBar(app, b, drift, x, span) {
  const a = b.start_s - drift, e = Math.max(b.end_s - drift, a + span * 0.004);
  const wide = (e - a) / span > 0.035;
  const at = `left:${b.kind === "down" ? Math.max(0, x(a)) : x(a)}%;width:${(((e - a) / span) * 100).toFixed(3)}%`;
  if (b.kind === "down") return html`<span class="down hatch" data-key="bar-${b.id}" style="${at}"><span class="row g1">${icon("wrench", "xs")}${b.label}</span></span>`;
  const cuts = Array.from({ length: Math.max(0, b.segments - 1) }, (_, i) => html`<u style="left:${(((i + 1) / b.segments) * 100).toFixed(1)}%"></u>`);
  const when = b.kind === "run" ? `runs for ${clock(-a)}, ${clock(e)} left` : b.kind === "plan" ? `starts in ${words(Math.max(0, a))}, takes ${clock(e - a)}` : `took ${clock(e - a)}`;
  return html`<button type="button" class="gb ${b.kind} st-${b.status}" data-key="bar-${b.id}" data-task="${b.task_id}" title="${b.label} · ${b.project} · ${when}" style="${at}" ${attrs("details", b.task_id)}>${b.kind === "run" && html`<em style="width:${(b.progress * 100).toFixed(1)}%"></em>`}${cuts}${wide && html`<span class="gl"><i class="pj ${projectClass(app, b.project)}"></i>${shape(b.status)}<span class="ell">${b.label}</span></span>`}</button>`;
}
