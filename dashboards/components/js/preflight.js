// The check of a batch: where each scene type can run, what is missing, and one button that mends what can be mended.
import { html, shape, grow, button, iconButton, bytes, many } from "./kit.js";

export const checkButton = (app) => button(app.local.checking ? "Checking…" : "Check", { act: "check", keys: ["C"], disabled: Boolean(app.local.checking), title: "Which scenes can run where, and what is missing" });

function row(r) {
  return html`<div class="chk st-${r.status}" data-key="check-${r.key}">${shape(r.status)}<div class="grow"><div class="row g1"><b class="med">${r.name}</b><span class="xs muted">${r.sub}</span><span class="xs muted tnum">${many(r.n, "scene")}</span></div><div class="secondary">${r.text}</div>${r.notes.map((note) => html`<div class="xs muted">${note}</div>`)}</div></div>`;
}

export function checkPanel(app) {
  const c = app.local.check;
  if (!c) return "";
  if (c.problem) return html`<section class="panel checks" data-key="checks" role="region" aria-label="Check"><header class="row"><h2>Check</h2>${grow}${iconButton("x", "Close", "checkClose")}</header><p class="secondary">${c.problem.text} ${c.problem.hint}</p></section>`;
  const room = c.disk_bytes !== null && html`<span class="xs muted">about ${bytes(c.disk_bytes)} of disk</span>`;
  const facts = c.fine ? html`<span class="row g1 xs st-approved">${shape("approved")}All can start</span>` : "";
  const steps = c.steps.length > 0 && !c.fine && html`<div class="chk"><div class="grow xs muted">${c.steps.join(" · ")}</div>${c.may_fix && button(app.local.fixing ? "Fixing…" : c.mends ? "Fix" : "Ask again", { act: "fix", cls: "primary", disabled: Boolean(app.local.fixing) })}</div>`;
  return html`<section class="panel checks" data-key="checks" role="region" aria-label="Check"><header class="row g2"><h2>Check</h2><span class="xs muted">${many(c.scenes, "scene")} to be made</span>${facts}${room}${grow}${iconButton("x", "Close", "checkClose")}</header>${c.held && html`<p class="st-warning row g1">${shape("warning")}${c.held}</p>`}<div class="chks">${c.rows.map(row)}</div>${c.done.map((d) => html`<p class="row g1 xs st-${d.ok ? "approved" : "failed"}">${shape(d.ok ? "approved" : "failed")}${d.text}</p>`)}${steps}</section>`;
}

async function look(app, name, flag) {
  if (app.local[flag]) return;
  app.set({ [flag]: true });
  const check = await app.ask(name);
  app.set({ [flag]: false, check });
}

export const checkActions = {
  check: (app) => { look(app, "check_project", "checking"); },
  fix: (app) => { look(app, "fix_project", "fixing"); },
  checkClose: (app) => { app.local.check = null; },
};
