// How estimates stood the test, and how fast takes are made where.
import { html, shape, badge, panel, grow, emptyState, ago, percent, many, gpuHours, clock } from "./kit.js";

// One batch: its 80 % interval, what was expected, and what it needed, on one scale for all.
function trial(app, r, top) {
  const at = (s) => `${Math.min(100, (s / top) * 100).toFixed(2)}%`;
  const words = `${r.project}, ${many(r.takes, "take")}: expected ${gpuHours(r.expected_s)}, 80 % between ${gpuHours(r.low_s)} and ${gpuHours(r.high_s)}; needed ${gpuHours(r.actual_s)}, ${r.inside ? "inside" : "outside"}`;
  return html`<div class="row trial" data-key="trial-${r.at}-${r.takes}" title="${words}" aria-label="${words}"><span class="tname ell"><b class="med">${r.project}</b> <span class="xs muted">${many(r.takes, "take")} · ${ago(r.at, app.now())}</span></span><span class="tbar"><i style="left:${at(r.low_s)};width:${at(r.high_s - r.low_s)}"></i><u style="left:${at(r.expected_s)}"></u><b class="st-${r.inside ? "approved" : "failed"}" style="left:${at(r.actual_s)}"></b></span><span class="tnum right xs tval">${gpuHours(r.actual_s)}</span>${shape(r.inside ? "approved" : "failed")}</div>`;
}

function verdict(c) {
  if (c.high < c.promised) return badge("warning", "Intervals are too narrow");
  if (c.low > c.promised) return badge("info", "Intervals are wide");
  return badge("approved", c.n < 10 ? "As promised so far" : "As promised");
}

export function calibrationPanel(app) {
  const c = app.state.calibration;
  const head = html`<h2>Estimates put to the test</h2><span class="badge tag">${c.n}</span>${grow}${c.n > 0 && verdict(c)}`;
  if (!c.n) return panel("bcal", head, emptyState({ title: "No history yet", text: "An estimate is kept when a batch is submitted, and put beside what the batch needed when it is over.", command: "x121 estimate PROJECT", art: false }));
  const top = Math.max(...c.rows.flatMap((r) => [r.high_s, r.actual_s])) * 1.03;
  return panel("bcal", head, html`<div class="body"><p class="bsays"><b class="mid tnum">${percent(c.inside / c.n)}</b> of ${many(c.n, "batch", "batches")} that are over needed what the 80 % interval said <span class="muted">(${c.inside} of ${c.n}; 95 % sure of ${percent(c.low)} to ${percent(c.high)})</span></p><div class="row xs muted tlegend"><i></i>80 % interval<u></u>expected<b class="st-approved"></b>needed</div>${c.rows.map((r) => trial(app, r, top))}</div>`);
}

export function speedPanel(app) {
  const s = app.state.speeds;
  const head = html`<h2>GPU time of a take</h2>${grow}<span class="xs muted wide">mean, by workflow, tier, size and worker</span>`;
  if (!s.rows.length) return panel("bspeed", head, emptyState({ title: "No history yet", text: "What takes need is measured as they are made; estimates stand on that.", art: false }));
  const rows = s.rows.map((r) => html`<tr data-key="speed-${r.workflow}-${r.tier}-${r.size}"><td class="what"><b class="med">${r.workflow}</b><div class="xs muted">${r.tier} · ${r.size}</div></td>${r.cells.map((x, i) => html`<td class="right" title="${s.workers[i]}: ${x ? many(x.takes, "take") : "no history"}">${x ? html`<span class="mono">${x.mean_s < 60 ? `${x.mean_s.toFixed(1)} s` : clock(x.mean_s)}</span> <span class="xs muted tnum">${x.takes}</span>` : html`<span class="xs muted">no history</span>`}</td>`)}</tr>`);
  return panel("bspeed", head, html`<div class="scroll"><table class="table"><thead><tr><th>Workflow</th>${s.workers.map((w) => html`<th class="n">${w}</th>`)}</tr></thead><tbody>${rows}</tbody></table>${s.more > 0 && html`<p class="xs muted pad">and ${s.more} more kinds: x121 estimate --speeds</p>`}</div>`);
}
