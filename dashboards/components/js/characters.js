// Characters: a gallery of cards, and one character's source image, variants, identity, rights and metadata.
import { html, raw, icon, shape, kbd, badge, tag, stack, scorebar, thumb, panel, grow, button, iconButton, chip, emptyState, attrs, many } from "./kit.js";

function card(app, c) {
  return html`<a class="ccard" href="/character?character=${c.id}" data-key="character-${c.id}">${thumb(c.thumb, { cls: "portrait", position: "50% 20%" })}<div class="cb"><div class="row between"><b class="med ell">${c.name}</b><span class="xs muted tnum">${c.approved}/${c.scenes}</span></div><div class="row xs between"><span class="muted">${c.kind}</span><span class="row g1">${c.variants.map((v) => html`<span class="row g1" title="${v.name}">${shape(v.status)}</span>`)}</span></div>${c.scenes > 0 && stack(c.counts, "h6")}<div class="xs ell note1 ${c.notice ? `st-${c.notice.status}` : "muted"}">${c.notice ? html`${shape(c.notice.status)}<span class="c ell">${c.notice.text}</span>` : c.tags.join(" · ")}</div></div></a>`;
}

export const characters = {
  title: () => "Characters",
  crumbs: () => ["Characters"],
  help: [["F", "Find"]],
  keys: { f: () => document.getElementById("character-find")?.focus() },
  actions: { kind: (app, kind) => app.set({ kind: app.local.kind === kind ? null : kind }), find_: (app, find) => app.set({ find }), all: (app) => app.set({ kind: null, find: "" }) },
  render: (app) => {
    const all = app.state.characters;
    const kinds = [...new Set(all.map((c) => c.kind))];
    const list = all.filter((c) => (!app.local.kind || c.kind === app.local.kind) && (!app.local.find || `${c.name} ${c.tags.join(" ")}`.toLowerCase().includes(app.local.find.toLowerCase())));
    const body = !all.length ? html`<section class="panel full">${emptyState({ title: "No portraits yet", text: "Import a folder of portraits. X121 checks each one for face, sharpness and duplicates before anything is made.", command: app.state.import_command })}</section>`
      : list.length ? html`<div class="cards">${list.map((c) => card(app, c))}</div>`
        : emptyState({ title: "No character matches", text: `${many(all.length, "character")} in this project; the filters hide all of them.`, actions: button("Clear filters", { act: "all" }), art: false });
    return html`<div class="head"><h1>Characters</h1><span class="facts">${many(all.length, "character")}</span>${grow}${kinds.length > 1 && kinds.map((kind) => chip(kind, "kind", kind, { on: app.local.kind === kind }))}<label class="input find">${icon("search", "xs")}<input id="character-find" placeholder="Find" data-input="find_" value="${app.local.find || ""}">${kbd("F")}</label></div><div class="page scroll">${body}</div>`;
  },
};

const STAR = raw('<svg class="s star" viewBox="0 0 12 12" aria-hidden="true"><path d="M6 .8 7.600 4.200l3.700.5-2.700 2.600.7 3.700L6 9.200 2.700 11l.7-3.700L.7 4.700l3.700-.5Z"/></svg>');

function source(app) {
  const { source: s } = app.state;
  const box = s.box && html`<span class="roi" style="left:${s.box[0] * 100}%;top:${s.box[1] * 100}%;width:${s.box[2] * 100}%;height:${s.box[3] * 100}%"><em>${s.box_word}</em></span>`;
  return panel("src", html`<h2>Source image</h2><span class="xs muted">original, kept for good</span>`, html`<div class="srcimg">${s.image ? html`<div class="fit"><img src="${s.image}" alt="Source image of ${app.state.name}">${box}</div>` : html`<div class="hatch none"></div>`}</div><div class="body checks">${s.checks.map((c) => html`<div class="row">${shape(c.status)}<span class="secondary">${c.name}</span>${grow}<span class="mono xs ell">${c.value}</span></div>`)}</div>`);
}

function variant(app, v) {
  const gate = app.state.identity_gate;
  const status = v.identity !== null && gate !== null && v.identity < gate ? "failed" : "approved";
  const hero = v.versions.find((x) => x.hero);
  return html`<div class="vcard" data-key="variant-${v.id}"><div class="vhero">${v.image ? html`<img src="${v.image}" alt="${v.name}">` : html`<div class="hatch none"></div>`}${hero && html`<span class="badge hb">${STAR}Hero ${hero.name}</span>`}<span class="hud ai">AI-generated</span></div><div class="vb"><div class="row between"><b class="sub">${v.name}</b>${badge(v.status, v.word, { plain: true })}</div>${v.identity !== null && html`<div class="row xs idn"><span class="muted">Identity</span>${scorebar(v.identity, gate, status, "grow")}<b class="mono med">${v.identity.toFixed(2)}</b></div>`}<div class="xs muted ell">${v.scenes}</div><div class="hist">${v.versions.slice(0, 4).map((x) => html`<div class="hv ${x.hero ? "hero" : ""}">${thumb(x.image, { position: "50% 20%" })}<div class="row xs between"><span class="secondary">${x.name}</span>${x.hero ? STAR : x.score !== null && html`<span class="muted">${x.score.toFixed(2)}</span>`}</div></div>`)}</div>${v.can_decide && html`<div class="row vact">${button("Approve", { act: "variant", arg: [v.id, "approve"], cls: "approve sm" })}${button("Reject", { act: "variant", arg: [v.id, "reject"], cls: "sm" })}</div>`}</div></div>`;
}

function identity(app) {
  const { identity_types: types, identity_gate: gate, identity_backend: backend } = app.state;
  if (!types.length) return panel("idn", html`<h2>Identity scores</h2><span class="xs muted">${backend}</span>`, emptyState({ title: "No scores yet", text: "Faces are compared with the source image as soon as a take is finished.", art: false }));
  return panel("idn", html`<h2>Identity scores</h2><span class="xs muted">cosine, ${backend}${gate !== null && `, gate ${gate.toFixed(2)}`}</span>${grow}<span class="xs muted wide">Mean and lowest frame per scene type</span>`, html`<div class="body idrows">${types.map((t) => html`<div class="row xs"><span class="secondary ell name">${t.name}</span>${scorebar(t.mean, gate, t.status, "grow")}<span class="mono two">${t.mean.toFixed(2)} <span class="muted">${t.low.toFixed(2)}</span></span></div>`)}</div>`);
}

function rights(app) {
  const r = app.state.release;
  return panel("rel", html`${icon("shield-check")}<h2>Likeness release</h2>${grow}${badge(r.status, r.word)}`, html`<div class="body"><dl class="kv">${r.rows.map(([k, v]) => html`<dt>${k}</dt><dd class="ell">${v}</dd>`)}</dl>${r.covers.length > 0 && html`<div class="row wrap covers">${r.covers.map((c) => badge("approved", c))}</div>`}</div>`);
}

function metadata(app) {
  const fields = app.state.metadata;
  const done = fields.filter((f) => f.value !== "").length;
  return panel("meta", html`<h2>Metadata</h2>${grow}<span class="xs muted">${done} of ${many(fields.length, "field")}</span>`, html`<div class="body fields">${fields.length === 0 && html`<p class="muted">No metadata fields are asked for.</p>`}${fields.map((f) => html`<label class="fld" data-key="field-${f.name}"><span class="xs ${f.missing ? "miss" : "muted"}">${f.label}${f.required && " *"}${f.missing && ", needed for delivery"}</span><input class="input ${f.missing ? "err" : ""}" name="${f.name}" value="${f.value}" data-change="field"></label>`)}</div>`);
}

const stepTo = (name) => (app) => { if (app.state[name]) app.open(`/character?character=${app.state[name]}`); };

export const character = {
  title: (app) => app.state.name,
  crumbs: (app) => ["Characters", app.state.name],
  help: [["← →", "Previous, next character"]],
  keys: { ArrowLeft: stepTo("previous_id"), ArrowRight: stepTo("next_id") },
  actions: {
    previous: stepTo("previous_id"), next: stepTo("next_id"),
    variant: (app, [id, outcome]) => app.act("decide_variant", { variant_id: id, outcome }),
    field: (app, value, event) => app.act("save_field", { character_id: app.state.id, name: event.target.name, value }),
  },
  render: (app) => {
    const s = app.state;
    return html`<div class="head tall">${thumb(s.source.image, { width: 36, height: 40, position: "50% 20%" })}<div class="who2"><h1 class="ell">${s.name}</h1><div class="xs muted ell">${s.code} · ${s.kind} · ${s.added}</div></div>${s.badges.map((b) => badge(b.status, b.text))}${grow}<span class="row g1">${iconButton("chevron-left", "Previous character", "previous", null, { disabled: !s.previous_id })}<span class="muted tnum">${s.position} of ${s.total}</span>${iconButton("chevron-right", "Next character", "next", null, { disabled: !s.next_id })}</span>${button("Show in matrix", { href: "/matrix", icon: "layout-grid", cls: "wide" })}</div><div class="cgrid">${source(app)}${panel("var", html`<h2>Variants</h2><span class="xs muted">${s.variants.length}</span>`, html`<div class="vgrid">${s.variants.map((v) => variant(app, v))}</div>`)}${identity(app)}${rights(app)}${metadata(app)}</div>`;
  },
};
