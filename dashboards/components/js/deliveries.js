// Deliveries: what is ready, what is missing, and every package written.
import { html, icon, shape, badge, bar, panel, grow, button, emptyState, bytes, ago, many, percent } from "./kit.js";
import { ask } from "./shell.js";

function ready(app) {
  const { ready: done, total, missing, may_deliver: may } = app.state;
  const rows = missing.map((m) => html`<div class="row miss">${shape(m.status)}<span class="grow">${m.text}</span>${m.href && html`<a class="lnk" href="${m.href}">Open</a>`}</div>`);
  return panel("ready", html`<h2>Next package</h2>${grow}${missing.length === 0 && done > 0 && badge("approved", "Complete")}`,
    html`<div class="body"><div class="row base"><span class="big tnum">${done}</span><span class="muted">of ${many(total, "scene")} approved</span>${grow}<span class="tnum secondary">${percent(total ? done / total : 0)}</span></div>${bar(total ? done / total : 0, "h6", "approved")}<div class="misses">${rows}</div><div class="row">${button("Deliver", { act: "deliver", icon: "package-check", cls: "primary lg", disabled: !may || !done || missing.length > 0 })}${missing.length > 0 && button(`Deliver ${many(done, "approved scene")} only…`, { act: "partial", cls: "lg", disabled: !may || !done })}</div></div>`);
}

function packages(app) {
  const rows = app.state.deliveries.map((d) => html`<tr data-key="delivery-${d.id}"><td>${badge(d.status, d.word, { plain: true })}</td><td class="what"><b class="med mono">${d.name}</b>${d.note && html`<div class="xs muted">${d.note}</div>`}</td><td class="tnum right">${d.scenes}</td><td class="mono right">${bytes(d.size_bytes)}</td><td class="secondary">${d.by}</td><td class="muted">${ago(d.at, app.now())}</td><td class="right">${d.download && html`<a class="btn sm" href="${d.download}" download>${icon("upload", "xs flip")}Download</a>`}</td></tr>`);
  return panel("packages", html`<h2>Packages</h2><span class="badge tag">${rows.length}</span>`, rows.length
    ? html`<div class="scroll"><table class="table"><thead><tr><th>State</th><th>File</th><th class="n">Scenes</th><th class="n">Size</th><th>By</th><th>Written</th><th></th></tr></thead><tbody>${rows}</tbody></table></div>`
    : emptyState({ title: "No package yet", text: "A package holds the approved scenes under their contractual names, with metadata and variant images.", art: false }));
}

export const deliveries = {
  title: () => "Deliveries",
  crumbs: () => ["Deliveries"],
  actions: {
    deliver: (app) => app.act("deliver", { partial: false }),
    partial: (app) => ask(app, { title: "Deliver an incomplete package?", text: `${many(app.state.missing.length, "thing is", "things are")} missing. The package says so in its manifest.`, label: "Deliver what is approved", done: () => app.act("deliver", { partial: true }) }),
  },
  render: (app) => html`<div class="head"><h1>Deliveries</h1><span class="facts">approved scenes, named and verified</span></div><div class="dgrid">${ready(app)}${packages(app)}</div>`,
};
