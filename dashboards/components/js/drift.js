// The drift meter: how each quantity goes along the chain, one small line a quantity, with the limit it goes towards.
import { html, shape } from "./kit.js";

const WIDTH = 54, HEIGHT = 16, EDGE = 2;

// Points of a line through values, and the height of the limit where it is near enough to be drawn to scale.
export function sparkOf(values, limit) {
  const low = Math.min(...values), high = Math.max(...values), span = high - low || 1;
  const near = limit !== null && limit > low - span && limit < high + span;
  const [from, to] = near ? [Math.min(low, limit), Math.max(high, limit)] : [low, high];
  const y = (v) => (from === to ? HEIGHT / 2 : HEIGHT - EDGE - ((v - from) / (to - from)) * (HEIGHT - 2 * EDGE)).toFixed(1);
  const x = (i) => ((i / Math.max(1, values.length - 1)) * (WIDTH - 2) + 1).toFixed(1);
  return { points: values.map((v, i) => `${x(i)} ${y(v)}`).join("L"), limit: near ? y(limit) : null };
}

function spark(d) {
  const line = sparkOf(d.values, d.limit);
  return html`<svg class="curve st-${d.status}" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" aria-hidden="true">${line.limit !== null && html`<path class="limit" d="M0 ${line.limit}H${WIDTH}"/>`}<path class="l" d="M${line.points}"/></svg>`;
}

// A quantity opens the last segment that was measured.
export function drift(scene, attrs) {
  if (!scene.drift.length) return "";
  const start = (number) => scene.segments.find((s) => s.number === number)?.start ?? null;
  return html`<section class="drifts"><header class="row"><span class="sub">Drift</span><span class="xs muted ell">from the scene's first frame, S${scene.drift[0].segments[0]} to S${scene.drift[0].segments.at(-1)}</span></header>${scene.drift.map((d) => html`<button type="button" class="gate st-${d.status}" title="${d.words}" data-key="drift-${d.name}" ${attrs("seek", start(d.segments.at(-1)))}>${shape(d.status)}<span class="ell">${d.name}</span>${spark(d)}<span class="mono xs right ${d.status === "approved" ? "" : "c"}">${d.value}</span><span class="xs muted right ell">${d.note}</span></button>`)}</section>`;
}
