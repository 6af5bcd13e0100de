// Budgets: GPU hours of each project and person beside their limits, use per day, and the day on which they run out.
import { html, raw, shape, badge, tag, line, panel, grow, button, emptyState, attrs, day, many } from "./kit.js";
import { ask } from "./shell.js";
import { calibrationPanel, speedPanel } from "./costs.js";
import { openForm, formBox, formActions, withForm } from "./forms.js";

const none = html`<span class="muted">–</span>`;
const chosen = (app) => app.state.rows.find((r) => r.id === app.state.chosen);
const h = (hours) => (Math.abs(hours) >= 100 ? hours.toFixed(0) : hours.toFixed(1));
const sum = (list) => list.reduce((all, x) => all + x, 0);
const name = (r) => (r.scope === "each person" ? (r.holder ? `${r.holder}` : "Each person") : r.holder);
const go = (app, id) => { const path = `/budgets${id ? `?budget=${encodeURIComponent(id)}` : ""}`; history.replaceState({}, "", path); app.open(path, { push: false }); };

// ---------------------------------------------------------------- the meter: used and reserved beside limit and warnings
function meter(r, cls = "") {
  const total = Math.max(r.allowed_h, r.used_h + r.reserved_h, 1e-9);
  const at = (hours) => `${Math.min(100, Math.max(0, (hours / total) * 100)).toFixed(2)}%`;
  const words = `${h(r.used_h)} GPU hours used and ${h(r.reserved_h)} reserved of ${h(r.allowed_h)}, ${Math.round(r.percent)} percent; warnings at ${r.warn_at.join(" and ") || "no"} percent`;
  const marks = r.warn_at.map((p) => html`<b class="${p <= r.percent ? "past" : ""}" style="left:${at((r.allowed_h * p) / 100)}" title="Warning at ${p} %"></b>`);
  const over = r.used_h + r.reserved_h > r.allowed_h && html`<b class="lim" style="left:${at(r.allowed_h)}" title="Limit"></b>`;
  return html`<span class="meter ${cls} st-${r.status === "approved" ? "generating" : r.status}" role="progressbar" aria-valuemin="0" aria-valuemax="100" aria-valuenow="${Math.round(Math.min(100, r.percent))}" aria-valuetext="${words}" title="${words}"><i style="width:${at(r.used_h)}"></i><i class="res" style="width:${at(r.reserved_h)}"></i>${marks}${over}</span>`;
}

function forecast(r) {
  if (r.status === "failed") return r.resets_on ? html`until ${day(r.resets_on)}` : "used up";
  if (r.runs_out_on) return html`<b class="med c st-warning">${day(r.runs_out_on)}</b>`;
  if (r.days_left === null) return html`<span class="muted">no use yet</span>`;
  return r.resets_on ? html`<span class="muted">not before its reset</span>` : html`<span class="muted">not within ten years</span>`;
}

function limitCell(app, r) {
  const editing = app.local.limit;
  if (editing?.id === r.id) return html`<input class="input limit" type="text" inputmode="decimal" value="${editing.text}" aria-label="GPU hours ${r.period_words} of ${name(r)}" data-change="limitSet" data-key="limit-input">`;
  if (!app.state.may_manage) return html`<span class="tnum">${h(r.limit_h)}</span>`;
  return html`<button type="button" class="btn sm ghost tnum" title="Change the limit  E" data-key="limit-${r.id}" ${attrs("editLimit", r.id)}>${h(r.limit_h)}</button>`;
}

function row(app, r) {
  const cur = r.id === app.state.chosen;
  return html`<tr class="${cur ? "cur" : ""}" data-key="budget-${r.id}" data-row="${r.id}" ${attrs("pickBudget", r.id)}><td>${badge(r.status, r.word, { plain: true })}</td><td class="what"><b class="med">${name(r)}</b><div class="xs muted">${r.scope === "each person" ? "each person's, " : ""}${r.period_words}${r.hard ? "" : ", only warns"}</div></td><td class="bmeter">${meter(r, "grow")}</td><td class="tnum right bsum" title="Used and reserved of what is allowed"><b class="med">${h(r.used_h)}</b>${r.reserved_h > 0 && html` <span class="muted">+ ${h(r.reserved_h)}</span>`} <span class="muted">/ ${h(r.allowed_h)}</span></td><td class="right tnum">${Math.round(r.percent)} %</td><td class="right blimit">${limitCell(app, r)}</td><td class="btrend">${line(r.days_h, 96, 20, { top: Math.max(0.01, ...r.days_h) * 1.1 })}</td><td>${forecast(r)}</td><td class="secondary">${r.resets_on ? day(r.resets_on) : html`<span class="muted">never</span>`}</td></tr>`;
}

function list(app) {
  const { rows, may_manage: may } = app.state;
  const add = button("Set a budget", { act: "addBudget", icon: "plus", cls: "primary", keys: ["A"], disabled: !may });
  return panel("budgets", html`<h2>Limits</h2><span class="badge tag">${rows.length}</span>${grow}<span class="xs muted wide blegend"><i class="used"></i>used<i class="res"></i>reserved<i class="mark"></i>warning</span>`, rows.length
    ? html`<div class="scroll"><table class="table btable"><thead><tr><th>State</th><th>Whose</th><th>Used and reserved</th><th class="n">GPU hours</th><th class="n">Share</th><th class="n">Limit</th><th>14 days</th><th>Runs out</th><th>Begins anew</th></tr></thead><tbody>${rows.map((r) => row(app, r))}</tbody></table></div>`
    : emptyState({ title: "No budget yet", text: may ? "A budget says how many GPU hours a project or person may use. Without one, a batch may take the whole fleet." : "Nothing limits the GPU time of projects and people. Admins set budgets.", actions: may && add, command: "x121 budget set 200 --project NAME", art: false }));
}

// ---------------------------------------------------------------- the one that is chosen
function bars(app, r) {
  const { dates, rate_days: n } = app.state, top = Math.max(0.01, ...r.days_h), rate = sum(r.days_h.slice(-n)) / n;
  const words = r.days_h.map((hours, i) => `${day(dates[i])} ${h(hours)}`).join(", ");
  return html`<div class="bbars" role="img" aria-label="GPU hours per day: ${words}">${r.days_h.map((hours, i) => html`<span title="${day(dates[i])}: ${h(hours)} GPU h"><i style="height:${((hours / top) * 100).toFixed(1)}%"></i></span>`)}<b style="bottom:${((rate / top) * 100).toFixed(1)}%"></b></div><div class="row between xs muted tnum"><span>${day(dates[0])}</span><span class="row g1"><i class="rateline"></i>${h(rate)} h a day over ${n} days</span><span>today</span></div>`;
}

function says(r, n) {
  const rate = sum(r.days_h.slice(-n)) / n;
  if (r.status === "failed") return r.hard ? `It is used up: new work is refused, what waits is held${r.resets_on ? ` until ${day(r.resets_on)}` : ""}, what runs is finished.` : "It is used up; it only warns.";
  if (r.days_left === null) return "No forecast: nothing was used in the last days.";
  const left = r.days_left < 1 ? "within a day" : `in ${many(Math.floor(r.days_left), "day")}`;
  if (r.runs_out_on) return `At the current rate of ${h(rate)} GPU h a day, ${name(r)} will exhaust this budget ${left}, on ${day(r.runs_out_on)}.`;
  return r.resets_on ? `At the current rate of ${h(rate)} GPU h a day it lasts beyond ${day(r.resets_on)}, when it begins anew.` : `At the current rate of ${h(rate)} GPU h a day it lasts for more than ten years.`;
}

function detail(app, r) {
  const may = app.state.may_manage, extra = [r.carried_h ? `${h(r.carried_h)} carried over` : "", r.granted_h ? `${r.granted_h > 0 ? "" : "−"}${h(Math.abs(r.granted_h))} ${r.granted_h > 0 ? "granted" : "taken away"}` : ""].filter(Boolean);
  const acts = may && html`${button("Terms…", { act: "editTerms", cls: "sm", icon: "pencil", keys: ["T"] })}${button("Grant…", { act: "grantHours", cls: "sm", keys: ["+"], disabled: !r.holder_id, title: r.holder_id ? "More in this period only" : "Nobody used it yet" })}${button("Remove…", { act: "removeBudget", cls: "sm danger-quiet" })}`;
  return panel("bdetail", html`<h2 class="ell">${name(r)}, ${r.period_words}</h2>${badge(r.status, r.word)}${grow}${acts}`, html`<div class="body scrolls bgrid2"><div class="bcol"><div class="row base"><span class="mid tnum">${h(r.used_h + r.reserved_h)}</span><span class="muted">of ${h(r.allowed_h)} GPU h used or reserved</span>${grow}<span class="tnum secondary">${Math.round(r.percent)} %</span></div>${meter(r, "h8")}<p class="bsays">${says(r, app.state.rate_days)}</p>${bars(app, r)}</div><dl class="kv tight bkv"><dt>Limit</dt><dd class="tnum">${h(r.limit_h)} GPU h ${r.period_words}</dd>${extra.length > 0 && html`<dt>In this period</dt><dd>${extra.join(", ")}</dd>`}<dt>Used</dt><dd class="tnum">${h(r.used_h)} GPU h</dd><dt>Reserved</dt><dd class="tnum">${h(r.reserved_h)} GPU h</dd><dt>Left</dt><dd class="tnum">${h(r.left_h)} GPU h</dd><dt>At the limit</dt><dd>${r.hard ? "new work is refused" : "people are warned"}</dd><dt>Warnings</dt><dd class="tnum">${r.warn_at.map((p) => `${p} %`).join(", ") || "at 100 % only"}</dd><dt>Begins anew</dt><dd>${r.resets_on ? day(r.resets_on) : "never"}${r.resets_on && (r.rolls_over ? ", the rest is carried over" : ", the rest lapses")}</dd><dt>Does not count</dt><dd class="row wrap g1">${r.exempt.length ? r.exempt.map((e) => tag(e)) : none}</dd></dl></div>`);
}

function free(app) {
  const { free: others, may_manage: may } = app.state;
  if (!others.length) return "";
  const top = Math.max(0.01, ...others.map((o) => Math.max(...o.days_h)));
  return panel("bfree", html`<h2>Without a limit of their own</h2><span class="badge tag">${others.length}</span>${grow}<span class="xs muted wide">GPU hours in 14 days</span>`, html`<div class="scroll">${others.map((o) => html`<div class="row free1" data-key="free-${o.id}"><span class="ell grow"><b class="med">${o.name}</b> <span class="xs muted">${o.scope}</span></span>${line(o.days_h, 96, 18, { top })}<span class="tnum right">${h(sum(o.days_h))} h</span>${may && button("Set…", { act: "addBudget", arg: o.id, cls: "sm", title: `Set a budget of ${o.name}` })}</div>`)}</div>`);
}

// ---------------------------------------------------------------- what is done
const told = (app, value, more = {}) => {
  if (value?.problem) { app.toast({ text: value.problem.text, more: value.problem.hint, status: "failed", seconds: 10 }); return false; }
  const undo = value.undo && { act: "undoBudget", arg: value.undo, label: "Undo", key: "⌘Z" };
  app.toast({ text: value.text, seconds: undo ? 10 : 6, action: undo, ...more });
  return true;
};

const terms = (r) => [
  { name: "hours", label: "GPU hours", value: r ? String(+r.limit_h.toFixed(4)) : "", placeholder: "200", half: true },
  { name: "warn_at", label: "Warnings at percent", value: (r?.warn_at || [75, 90]).join(", "), half: true, hint: "Apart by commas" },
  { name: "hard", label: "At the limit", value: String(r?.hard ?? true), half: true, options: [["true", "Refuse new work"], ["false", "Only warn"]] },
  { name: "rolls_over", label: "What is left at a reset", value: String(r?.rolls_over ?? false), half: true, options: [["false", "Lapses"], ["true", "Is carried over, once"]] },
];
const exempt = (app, r) => ({ name: "exempt", label: "Does not count", value: (r?.exempt || []).join(", "), placeholder: "Draft", hint: `Tiers or kinds of tasks, apart by commas: ${app.state.offers.exempt.join(", ")}` });
const packed = ({ hours, warn_at, hard, rolls_over, exempt: out, ...rest }) => ({ ...rest, hours, terms: { warn_at, hard, rolls_over, exempt: out } });

// A hard limit below what is used and reserved stops work at once: that is asked for first.
function change(app, r, hours, args) {
  const send = async () => { told(app, await app.ask("change_budget", { budget_id: r.budget_id, version: r.version, hours, ...args })); };
  const used = r.used_h + r.reserved_h, after = Number(hours) + r.carried_h + r.granted_h;
  if (!r.hard || !Number.isFinite(after) || after >= used || Number(hours) < 0 || Number(hours) >= r.limit_h) { send(); return; }
  ask(app, { title: `Set ${name(r)} to ${h(Number(hours))} GPU h?`, text: `${h(r.used_h)} are used and ${h(r.reserved_h)} reserved: new work is refused from now on${after <= r.used_h ? ", and what waits is held" : ""}.`, label: "Set the limit", status: "warning", keys: ["⌘⏎"], done: send });
}

const actions = {
  ...formActions,
  pickBudget: (app, id) => { if (id !== app.state.chosen) go(app, id); },
  editLimit: (app, id) => {
    const r = app.state.rows.find((x) => x.id === id);
    if (!r || !app.state.may_manage) return;
    app.local.limit = { id, text: String(+r.limit_h.toFixed(4)) };
    if (id !== app.state.chosen) go(app, id);
    app.drawNow();
    document.querySelector("input.limit")?.select();
  },
  limitSet: (app, text) => {
    const at = app.local.limit, r = at && app.state.rows.find((x) => x.id === at.id);
    app.local.limit = null;
    if (r && text.trim() !== at.text) change(app, r, text.trim(), {});
  },
  editTerms: (app) => {
    const r = chosen(app);
    if (!r || !app.state.may_manage) return;
    openForm(app, { name: "change_budget", title: `Budget of ${name(r)}, ${r.period_words}`, label: "Save", args: { budget_id: r.budget_id, version: r.version }, pack: packed, quiet: true, text: r.scope === "each person" ? "It holds for each person by themselves." : "", fields: [...terms(r), exempt(app, r)], done: (value) => told(app, value) });
  },
  addBudget: (app, holder) => {
    const { offers, may_manage: may } = app.state;
    if (!may) return;
    openForm(app, { name: "add_budget", title: "Set a budget", label: "Set", args: {}, pack: packed, quiet: true, text: "What was used since the beginning of the present period counts at once.", fields: [
      { name: "holder", label: "Whose", value: holder || offers.holders[0]?.id || "each", half: true, options: [...offers.holders.map((o) => [o.id, `${o.name} (${o.scope})`]), ["each", "Each person"]] },
      { name: "period", label: "Period", value: "month", half: true, options: offers.periods.map((p) => [p.id, p.name]) },
      ...terms(null), exempt(app, null)], done: (value) => { told(app, value); if (value.row) go(app, value.row); } });
  },
  grantHours: (app) => {
    const r = chosen(app);
    if (!r || !app.state.may_manage || !r.holder_id) return;
    openForm(app, { name: "grant_hours", title: `Grant ${name(r)} more`, label: "Grant", quiet: true, args: { budget_id: r.budget_id, holder_id: r.scope === "each person" ? r.holder_id : null }, text: "In the present period only; it is audited with its reason.", fields: [{ name: "hours", label: "GPU hours", placeholder: "8", half: true, hint: "Below zero takes away" }, { name: "reason", label: "Why", placeholder: "the director's cut" }], done: (value) => told(app, value) });
  },
  removeBudget: (app) => {
    const r = chosen(app);
    if (!r || !app.state.may_manage) return;
    ask(app, { title: `Remove the budget of ${r.scope === "each person" ? "each person" : name(r)}, ${r.period_words}?`, text: "Nothing limits that GPU time any more, and what it held goes on. Its grants are lost.", label: "Remove", cls: "danger", status: "failed", keys: ["⌘⏎"], done: async () => { if (told(app, await app.ask("remove_budget", { budget_id: r.budget_id }))) go(app, ""); } });
  },
  undoBudget: async (app, undo) => { app.ui.toasts = app.ui.toasts.filter((t) => t.action?.arg !== undo); told(app, await app.ask(undo.name, undo.args), { text: "Taken back", action: null }); },
};

const step = (app, by) => { const l = app.state.rows, at = l.findIndex((r) => r.id === app.state.chosen), next = l[Math.min(l.length - 1, Math.max(0, at + by))]; if (next) { actions.pickBudget(app, next.id); document.querySelector(`[data-row="${next.id}"]`)?.scrollIntoView({ block: "nearest" }); } };

export const budgets = {
  title: () => "Budgets",
  crumbs: (app) => (chosen(app) ? ["Budgets", name(chosen(app))] : ["Budgets"]),
  help: [["↑ ↓", "Choose a budget"], ["E", "Change its limit, ⏎ sets it"], ["T", "Change its terms"], ["+", "Grant more in this period"], ["A", "Set a budget"], ["Delete", "Remove"], ["⌘Z", "Take back"]],
  commands: (app) => (app.state.may_manage ? [{ label: "Set a budget", act: "addBudget", icon: "plus", keys: ["A"] }] : []),
  keys: withForm({
    ArrowUp: (app) => step(app, -1), ArrowDown: (app) => step(app, 1), a: (app) => actions.addBudget(app), e: (app) => actions.editLimit(app, app.state.chosen),
    t: actions.editTerms, "+": actions.grantHours, Delete: actions.removeBudget, Escape: (app) => app.set({ limit: null }),
  }),
  actions,
  render: (app) => {
    const { rows, may_manage: may, rate_days: n } = app.state, r = chosen(app);
    const low = rows.filter((x) => x.status !== "approved").length;
    return html`<div class="head"><h1>Budgets</h1>${rows.length > 0 && html`<span class="facts">${low ? html`<b class="med c st-warning">${low}</b> of ${many(rows.length, "budget")} near or at the limit` : "All within their limits"}</span>`}${grow}${!may && html`<span class="xs muted">Admins set budgets</span>`}${button("Set a budget", { act: "addBudget", icon: "plus", cls: "primary", keys: ["A"], disabled: !may })}</div><div class="tpage bpage">${list(app)}${r && detail(app, r)}${free(app)}<div class="bgrid3">${calibrationPanel(app)}${speedPanel(app)}</div></div>${formBox(app)}`;
  },
};
