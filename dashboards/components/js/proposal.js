// A submission before it is made: the whole matrix of the selection, what would be queued, and what lacks.
import { html, raw, icon, shape, kbd, button, iconButton, callout, attrs, many, gpuHours } from "./kit.js";
import { chosenCells, chosenVariants } from "./matrixgrid.js";

const WORD = { q: "enters the queue", t: "is there already", b: "is blocked", ".": "does not apply" };
const SHAPE = { q: "pending", t: "approved", b: "blocked" };

export async function propose(app) {
  if (!app.local.selection.size) { app.toast({ text: "Choose cells first", more: "Space selects a cell, R a row, L a column.", status: "info" }); return; }
  if (app.local.proposal) { app.set({ proposal: null }); return; }
  const chosen = [...app.local.selection].join();
  const value = await app.ask("propose_cells", { cells: chosenCells(app), variants: chosenVariants(app), tier: app.local.tier || app.state.tier });
  if (chosen !== [...app.local.selection].join()) return; // another selection by now, or it was submitted
  if (value.problem) app.toast({ text: value.problem.text, more: value.problem.hint, status: "failed" }); else app.set({ proposal: value });
}

const cell = (letters, type, row, variants) => html`<td title="${row}, ${type}: ${variants.map((v, i) => `${v} ${WORD[letters[i]]}`).join(", ")}"><span class="row pcell">${[...letters].map((l) => (SHAPE[l] ? shape(SHAPE[l]) : html`<i></i>`))}</span></td>`;

function grid(p) {
  const more = [p.more_rows && many(p.more_rows, "character"), p.more_types && many(p.more_types, "scene type")].filter(Boolean).join(" and ");
  return html`<div class="scroll pgridbox"><table class="table ptable"><thead><tr><th>Character</th>${p.scene_types.map((t) => html`<th>${t}</th>`)}</tr></thead><tbody>${p.rows.map((r) => html`<tr data-key="prow-${r.name}"><td class="what"><b class="med">${r.name}</b></td>${r.cells.map((letters, i) => cell(letters, p.scene_types[i], r.name, p.variants))}</tr>`)}</tbody></table>${more && html`<p class="xs muted pad">and ${more} more, not drawn</p>`}</div>`;
}

function need(n, i) {
  return html`<div class="pneed" data-key="need-${i}"><div class="row top">${shape(n.status)}<div class="grow"><b class="med">${n.text.slice(0, 1).toUpperCase()}${n.text.slice(1)}</b><div class="xs muted">${many(n.n, "scene")}: ${n.cells.join(", ")}${n.n > n.cells.length ? " …" : ""}</div><div class="xs secondary">${n.status === "blocked" ? "They stay out. " : "They are queued all the same. "}${n.solve}</div>${n.command && html`<code class="mono xs muted">${n.command}</code>`}</div><a class="lnk" href="${n.href}">Solve</a></div></div>`;
}

export function proposalBox(app) {
  const p = app.local.proposal;
  if (!p) return "";
  const e = app.local.estimate, refused = p.budgets.filter((words) => !words.startsWith("With this"));
  const sums = html`<span class="row g1">${shape("pending")}<b class="tnum">${p.queue}</b> enter the queue, ${many(p.takes, "take")}</span><span class="row g1">${shape("approved")}<b class="tnum">${p.present}</b> there already</span><span class="row g1">${shape("blocked")}<b class="tnum">${p.blocked}</b> blocked</span>`;
  const cost = e && e.gpu_s > 0 && html`<span class="secondary">about <b class="med tnum">${gpuHours(e.gpu_s)}</b> <span class="muted">(${gpuHours(e.gpu_low_s)} to ${gpuHours(e.gpu_high_s)}, ${e.basis})</span></span>`;
  return html`<div class="scrim" data-key="proposal"><div class="dialog ask form tbuild pbox" role="dialog" aria-modal="true" aria-label="Submission"><div class="row"><h3 class="grow">${many(p.characters, "character")} × ${many(p.scene_types.length + p.more_types, "scene type")} × ${many(p.variants.length, "variant")}: ${many(p.scenes, "scene")} at ${p.tier || "the project's tier"}</h3>${iconButton("x", "Close  Esc", "proposalOff")}</div><div class="row wrap g3 psums">${sums}${cost}</div>${p.budgets.map((words) => callout(refused.includes(words) ? "blocked" : "warning", words))}${p.warnings.map((words) => callout("warning", words))}<div class="tall">${grid(p)}${p.needs.length > 0 && html`<h4 class="caps">What lacks</h4>${p.needs.map(need)}`}</div><div class="row end"><span class="xs muted wide">${kbd("Esc")} changes nothing</span><span class="grow"></span>${button("Back", { act: "proposalOff" })}${button(`Submit ${many(p.queue, "scene")}`, { act: "submit", cls: "primary", keys: ["⌘⏎"], disabled: !p.queue || refused.length > 0 })}</div></div></div>`;
}

// What the scenes of the cell under the cursor lack though they are not blocked.
export const needsOf = (needs) => (needs || []).map((n) => html`<span class="row g1" data-key="need-${n.what}-${n.text}">${shape("warning")}<span class="secondary">${n.text}</span><a class="lnk" href="${n.href}" title="${n.solve}">Solve</a>${n.command && html`<code class="mono xs muted">${n.command}</code>`}</span>`);
export const needMark = (needs) => (needs?.length ? html`<span class="mneed c st-warning" title="${needs.map((n) => n.text).join("; ")}">${icon("wrench", "xs")}</span>` : "");
