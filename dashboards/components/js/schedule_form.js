// The form of a schedule, a new one or one that is changed in place: when it comes, with its next five times, and what it submits.
import { html, raw, button, callout, kbd, grow, chip } from "./kit.js";

const EVERY = [["day", "Every day"], ["weekdays", "Monday to Friday"], ["week", "Every week"], ["month", "Every month"], ["hour", "Every hour"], ["cron", "Cron expression"]];
const DAYS = [["mon", "Monday"], ["tue", "Tuesday"], ["wed", "Wednesday"], ["thu", "Thursday"], ["fri", "Friday"], ["sat", "Saturday"], ["sun", "Sunday"]];

// With a row of the page, that schedule is changed; without, a new one is added.
export async function openSchedule(app, row = null) {
  if (!app.state.may_schedule || (row && !row.may)) return;
  const plan = app.local.plan = {
    offers: { projects: [], scene_types: [], variants: [], tiers: [], zones: [] }, name: "", project: app.shell.project?.name || "", every: "day", time: "22:00", minute: "0", weekday: "mon", date: "1", cron: "30 22 * * mon-fri",
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC", characters: [], scene_types: [], variants: [], tier: "", priority: "Normal", off_peak: "", failed_only: "", run_missed: "",
    times: null, wrong: null, fault: null, busy: false, row, version: null, person: "", lost: 0,
  };
  app.drawNow();
  document.querySelector(".splan input")?.focus();
  if (!row) look(app);
  const [offers, found] = await Promise.all([app.ask("schedule_offers"), row ? app.ask("schedule", { schedule_id: row.id }) : null]);
  if (app.local.plan !== plan) return; // it was closed meanwhile
  plan.fault = offers.problem || found?.problem || null;
  if (plan.fault) return app.draw();
  Object.assign(plan, { offers, project: plan.project || offers.projects[0]?.name || "" });
  if (found) Object.assign(plan, formOf(found.given), { version: found.version, person: found.person, lost: found.lost });
  app.drawNow();
  if (found) { look(app); document.querySelector(".splan input")?.select(); }
}

// A schedule as the form shows it; a cron expression that is none of the usual ones stays one.
function formOf(given) {
  const yes = (flag) => (flag ? "yes" : ""), pad = (n) => String(n).padStart(2, "0");
  const p = { ...given, every: "cron", off_peak: yes(given.off_peak), failed_only: yes(given.failed_only), run_missed: yes(given.run_missed) };
  const [minute, hour, date, month, weekday] = given.cron.toLowerCase().split(/\s+/), is = (re, x) => re.test(x ?? "");
  if (!is(/^\d+$/, minute) || month !== "*") return p;
  const time = `${pad(hour)}:${pad(minute)}`, at = is(/^\d+$/, hour);
  if (hour === "*" && date === "*" && weekday === "*") return { ...p, every: "hour", minute };
  if (at && date === "*" && weekday === "*") return { ...p, every: "day", time };
  if (at && date === "*" && weekday === "mon-fri") return { ...p, every: "weekdays", time };
  if (at && date === "*" && DAYS.some(([key]) => key === weekday)) return { ...p, every: "week", time, weekday };
  if (at && is(/^\d+$/, date) && weekday === "*") return { ...p, every: "month", time, date };
  return p;
}

export function cronOf(p) {
  const [hour, minute] = p.time.split(":").map((x) => Number(x) || 0);
  return { day: `${minute} ${hour} * * *`, weekdays: `${minute} ${hour} * * mon-fri`, week: `${minute} ${hour} * * ${p.weekday}`, month: `${minute} ${hour} ${p.date || "?"} * *`, hour: `${p.minute || "?"} * * * *`, cron: p.cron }[p.every];
}

// ---------------------------------------------------------------- when it comes next
async function look(app) {
  const p = app.local.plan, asked = `${cronOf(p)}\n${p.zone}`;
  p.asked = asked;
  const value = await app.ask("schedule_times", { cron: cronOf(p), zone: p.zone });
  if (p.asked !== asked) return; // another change came since
  Object.assign(p, value.problem ? { times: null, wrong: value.problem } : { times: value.times, wrong: null });
  app.draw();
}

function next(p) {
  if (p.wrong) return callout("warning", html`<b class="med">${p.wrong.text}</b> ${p.wrong.hint}`);
  return html`<div class="stimes" role="status" aria-label="Next times"><span class="xs muted">Next</span>${p.times ? p.times.map((t) => html`<span class="mono xs" data-key="at-${t.at}">${t.words}</span>`) : html`<span class="xs muted">…</span>`}</div>`;
}

// ---------------------------------------------------------------- fields
const fld = (label, control, cls = "") => html`<label class="fld ${cls}"><span class="xs muted">${label}</span>${control}</label>`;
const input = (name, label, value, more = "") => html`<input class="input" name="${name}" aria-label="${label}" value="${value}" autocomplete="off" data-input="planField" ${raw(more)}>`;
const select = (name, label, value, options) => html`<select class="input" name="${name}" aria-label="${label}" data-change="planField">${options.map(([key, word]) => html`<option value="${key}" ${raw(key === value ? "selected" : "")}>${word}</option>`)}</select>`;
const plain = (list) => list.map((x) => [x, x]);

function when(p) {
  return html`<div class="flds">${fld("How often", select("every", "How often", p.every, EVERY), "half")}${p.every === "cron"
    ? fld("Minute, hour, day of month, month, day of week", input("cron", "Cron expression", p.cron, 'spellcheck="false"'), "half")
    : p.every === "hour" ? fld("Minutes past the hour", input("minute", "Minutes past the hour", p.minute, 'type="number" min="0" max="59"'), "half") : fld("At", input("time", "At", p.time, 'type="time" required'), "half")}${p.every === "week" && fld("On", select("weekday", "On", p.weekday, DAYS), "half")}${p.every === "month" && fld("On day", input("date", "On day", p.date, 'type="number" min="1" max="31"'), "half")}${fld("Time zone", html`${input("zone", "Time zone", p.zone, 'list="zones" spellcheck="false"')}<datalist id="zones">${p.offers.zones.map((z) => html`<option value="${z}"></option>`)}</datalist>`, "half")}${fld("Times that were missed", select("run_missed", "Times that were missed", p.run_missed, [["", "Are skipped"], ["yes", "Are made up for by one run"]]), "half")}</div>${next(p)}`;
}

function choice(p, key, title, names) {
  if (!names.length) return "";
  return html`<div class="fld" role="group" aria-label="${title}"><span class="xs muted">${title}: ${p[key].length ? `${p[key].length} of ${names.length}` : "all"}</span><div class="chips">${names.map((name) => chip(name, "planPick", [key, name], { on: p[key].includes(name) }))}</div></div>`;
}

function what(p) {
  const project = p.offers.projects.find((x) => x.name === p.project);
  const yes = (no, word) => [["", no], ["yes", word]];
  return html`<div class="flds">${fld("Tier", select("tier", "Tier", p.tier, [["", "The project's at each run"], ...plain(p.offers.tiers)]), "half")}${fld("Class", select("priority", "Class", p.priority, plain(["Urgent", "Normal", "Background"])), "half")}${fld("Start", select("off_peak", "Start", p.off_peak, yes("At any hour", "Only while nothing else wants a worker")), "half")}${fld("Scenes", select("failed_only", "Scenes", p.failed_only, yes("All that are not made yet", "Only those that have failed")), "half")}${choice(p, "characters", "Characters", project?.characters || [])}${choice(p, "scene_types", "Scene types", p.offers.scene_types)}${choice(p, "variants", "Variants", p.offers.variants)}</div>`;
}

export function scheduleBox(app) {
  const p = app.local.plan;
  if (!p) return "";
  const title = p.row ? `Change ${p.row.name}` : "Add a schedule";
  const whose = p.row && p.person !== app.shell.person.name ? `What is submitted, with the rights of ${p.person}; with yours once you change it` : "What is submitted, with your rights";
  const part = (title, body) => html`<section class="part" aria-label="${title}"><h4 class="caps">${title}</h4>${body}</section>`;
  return html`<div class="scrim" data-key="plan"><div class="dialog ask form tbuild splan" role="dialog" aria-modal="true" aria-label="${title}"><h3>${title}</h3>${p.lost > 0 && callout("warning", html`<b class="med">${p.lost} of what it chose was deleted since.</b> It submits nothing until it is saved again: look at what is chosen.`)}<div class="scroll tall">${p.row && p.version === null ? html`<p class="muted pad" role="status">${p.fault ? "" : "Reading the schedule…"}</p>` : html`<div class="flds">${fld("Name", input("name", "Name", p.name, 'placeholder="Nightly" maxlength="100"'), "half")}${fld("Project", select("project", "Project", p.project, plain(p.offers.projects.map((x) => x.name))), "half")}</div>${part("When", when(p))}${part(whose, what(p))}`}</div>${p.fault && callout("failed", html`<b class="med">${p.fault.text}</b> ${p.fault.hint}`)}<div class="row end"><span class="xs muted wide">${p.busy ? "Working…" : html`${kbd("Esc")} changes nothing`}</span>${grow}${button("Cancel", { act: "planClose" })}${button(p.row ? "Save" : "Add schedule", { act: "planSave", cls: "primary", keys: ["⌘⏎"], disabled: p.busy || (p.row && p.version === null) })}</div></div></div>`;
}

async function save(app) {
  const p = app.local.plan;
  if (!p || p.busy || (p.row && p.version === null)) return;
  Object.assign(p, { busy: true, fault: null });
  app.draw();
  const given = { name: p.name, project: p.project, cron: cronOf(p), zone: p.zone, characters: p.characters, scene_types: p.scene_types, variants: p.variants, tier: p.tier, priority: p.priority, off_peak: p.off_peak === "yes", failed_only: p.failed_only === "yes", run_missed: p.run_missed === "yes" };
  const value = p.row ? await app.ask("change_schedule", { schedule_id: p.row.id, given, version: p.version }) : await app.ask("add_schedule", { given });
  p.busy = false;
  if (app.local.plan !== p) return; // it was closed meanwhile
  if (value.problem) p.fault = value.problem;
  else {
    app.local.plan = null;
    const back = value.before && { schedule_id: value.schedule_id, given: value.before, version: value.version };
    app.toast({ text: value.text, ...(back && { seconds: 10, action: { label: "Undo", key: "⌘Z", act: "undoSchedule", arg: back } }) });
  }
  app.draw();
}

const WHEN = ["every", "time", "minute", "weekday", "date", "cron", "zone"];

export const scheduleActions = {
  addSchedule: (app) => { openSchedule(app); },
  changeSchedule: (app, id) => { const row = app.state.schedules.find((s) => s.id === id); if (row) openSchedule(app, row); },
  undoSchedule: async (app, back) => {
    const value = await app.ask("change_schedule", back);
    app.toast(value.problem ? { text: value.problem.text, more: value.problem.hint, status: "failed" } : { text: `Undone: ${value.text.replace(/ is changed/, " is as it was")}` });
  },
  planField: (app, value, event) => {
    const p = app.local.plan, name = event.target.name;
    if (!p) return;
    p[name] = value;
    if (name === "project") p.characters = [];
    if (WHEN.includes(name)) look(app);
  },
  planPick: (app, [key, name]) => { const p = app.local.plan; p[key] = p[key].includes(name) ? p[key].filter((x) => x !== name) : [...p[key], name]; },
  planClose: (app) => { app.local.plan = null; },
  planSave: (app) => { save(app); },
};

// While the form is open, keys are the form's.
export const scheduleKeys = (keys) => ({
  ...Object.fromEntries(Object.entries(keys).map(([key, act]) => [key, (app, event) => (app.local.plan ? null : act(app, event))])),
  Escape: (app, event) => { if (app.local.plan) app.local.plan = null; else keys.Escape(app, event); },
  "Meta+Enter": (app) => { save(app); },
});
