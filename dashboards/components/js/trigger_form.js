// The builder of a trigger's rule: event, scope, conditions, actions; tried before it is kept.
import { html, raw, button, iconButton, callout, kbd, grow, attrs, shape, ago, many } from "./kit.js";

const WORDY = ["is", "is_not"], ALL = ["is", "is_not", "at_least", "at_most", "above", "below"];
const OP_WORDS = { is: "is", is_not: "is not", at_least: "at least", at_most: "at most", above: "above", below: "below" };
const NUMBERS = ["segment", "faces", "open_scenes", "open_scenes_project", "percent"];
const LABELS = { open_scenes: "scenes of the character not approved", open_scenes_project: "scenes of the project not approved", scene_type: "scene type", faces: "faces in the image" };
const OPTIONS = {
  submit: [["scene_types", "Scene types", "scene_types"], ["variants", "Variants", "variants"], ["characters", "Characters", "names"], ["tier", "Tier", "tiers"], ["priority", "Class", "classes"], ["off_peak", "Only while nothing else wants a worker", "yes"]],
  retake: [["from_segment", "From segment", "number"]], deliver: [["characters", "Characters", "names"], ["partial", "Also where something is missing", "yes"]],
  notify: [["to", "Whom", "people"], ["text", "Text", "text"]], webhook: [["name", "Webhook", "webhooks"]], rerun_qa: [], assemble: [],
};
const blankCondition = () => ({ field: "", op: "is", value: "" });
const blankAction = () => ({ action: "notify", to: "owner", text: "{what}: {trigger}" });

// With a row, its rule is changed; without, a new one is added.
export function openBuilder(app, done, row = null) {
  const blank = { name: "", on: "variant.approved", project: app.shell.project?.name || "", character: "", scene_type: "", description: "", when: [], branch: [], do: [blankAction()], otherwise: [], at_most: "", together: "" };
  app.local.builder = { ...(row ? formOf(row, app.state.offers) : blank), row, fault: null, tried: null, busy: false, done };
  app.drawNow();
  document.querySelector(".tbuild input")?.focus();
}

const eventOf = (app) => app.state.offers.events.find((e) => e.kind === app.local.builder.on);

// ---------------------------------------------------------------- fields
const input = (path, label, value, more = "") => html`<input class="input" name="${path}" aria-label="${label}" value="${value ?? ""}" autocomplete="off" data-input="ruleField" ${raw(more)}>`;
const select = (path, label, value, options) => html`<select class="input" name="${path}" aria-label="${label}" data-change="ruleField">${options.map(([key, word]) => html`<option value="${key}" ${raw(key === (value ?? "") ? "selected" : "")}>${word}</option>`)}</select>`;
const plain = (list) => list.map((x) => [x, x]);
const fld = (label, control, cls = "") => html`<label class="fld ${cls}"><span class="xs muted">${label}</span>${control}</label>`;

function fieldChoices(app) {
  const e = eventOf(app), o = app.state.offers;
  return [["", "Field…"], ...e.fields.map((f) => [f, LABELS[f] || f]), ...(e.opens.includes("score.") ? o.metrics.map((n) => [`score.${n}`, `score: ${n}`]) : []), ...(e.opens.includes("metadata.") ? o.metadata.map((n) => [`metadata.${n}`, `metadata: ${n}`]) : [])];
}

function valueControl(app, path, c, n) {
  if (c.many) return input(path, `Value of condition ${n}`, c.value, 'placeholder="one or the other, by commas"');
  const e = eventOf(app), o = app.state.offers;
  const known = e.values[c.field] || { project: o.projects, scene_type: o.scene_types, variant: o.variants, tier: o.tiers, character: [...new Set(o.characters.map(([, name]) => name))] }[c.field];
  return known && known.length ? select(path, `Value of condition ${n}`, c.value, [["", "Value…"], ...plain(known)]) : input(path, `Value of condition ${n}`, c.value);
}

function conditions(app, key, title) {
  const b = app.local.builder;
  const rows = b[key].map((c, i) => {
    const ops = NUMBERS.includes(c.field) || /^(score|metadata)\./.test(c.field) ? ALL : WORDY;
    return html`<div class="row cond" data-key="${key}-${i}">${select(`${key}.${i}.field`, `Field of condition ${i + 1}`, c.field, fieldChoices(app))}${select(`${key}.${i}.op`, `Comparison of condition ${i + 1}`, c.op, ops.map((x) => [x, OP_WORDS[x]]))}${valueControl(app, `${key}.${i}.value`, c, i + 1)}${iconButton("x", `Remove condition ${i + 1}`, "dropPart", [key, i], { size: "sm" })}</div>`;
  });
  return html`<section class="part" aria-label="${title}"><div class="row"><h4 class="caps">${title}</h4>${grow}${button("Condition", { act: "addPart", arg: key, icon: "plus", cls: "sm ghost" })}</div>${rows}${rows.length === 0 && html`<p class="xs muted">${key === "when" ? "Always." : "No branch."}</p>`}</section>`;
}

function option(app, key, i, a, [name, label, kind]) {
  const o = app.state.offers, path = `${key}.${i}.${name}`, value = a[name] ?? "";
  if (kind === "tiers" || kind === "webhooks") return fld(label, select(path, label, value, [["", kind === "tiers" ? "The project's" : "Choose…"], ...plain(o[kind])]), "half");
  if (kind === "classes") return fld(label, select(path, label, value, [["", "Normal"], ...plain(["Urgent", "Background"])]), "half");
  if (kind === "yes") return fld(label, select(path, label, value, [["", "No"], ["yes", "Yes"]]), "half");
  const hints = { scene_types: "all, same, or names by commas", variants: "same, all, or names by commas", names: "same, all, or names by commas", people: "owner, Admin, Creator, Reviewer or addresses", number: "the event's", text: "" };
  return fld(label, input(path, label, value, `placeholder="${hints[kind]}"`), kind === "text" ? "" : "half");
}

function actionList(app, key, title) {
  const b = app.local.builder;
  const rows = b[key].map((a, i) => html`<div class="act" data-key="${key}-${i}-${a.action}"><div class="row">${select(`${key}.${i}.action`, `Action ${i + 1}`, a.action, app.state.offers.actions.map((x) => [x.kind, x.label]))}${grow}${iconButton("x", `Remove action ${i + 1}`, "dropPart", [key, i], { size: "sm" })}</div>${OPTIONS[a.action].length > 0 && html`<div class="flds opts">${OPTIONS[a.action].map((o) => option(app, key, i, a, o))}</div>`}</div>`);
  return html`<section class="part" aria-label="${title}"><div class="row"><h4 class="caps">${title}</h4>${grow}${button("Action", { act: "addPart", arg: key, icon: "plus", cls: "sm ghost" })}</div>${rows}</section>`;
}

export function dryRows(app, tried) {
  if (!tried.rows.length) return html`<p class="xs muted">None of the newest ${tried.looked} events of this kind would set it off.</p>`;
  return html`<div class="dry" role="status">${tried.rows.map((r) => html`<div class="row dry1" data-key="dry-${r.event_id}-${r.action}">${shape(r.would.startsWith("would fail") || r.would.startsWith("Stopped") ? "warning" : "info")}<span class="grow"><b class="med">${r.about}</b>${r.branch === "otherwise" && html` <span class="muted">otherwise</span>`}<span class="blk xs secondary">${r.would}</span></span><span class="xs muted">${ago(r.at, app.now())}</span></div>`)}</div>`;
}

export function builder(app) {
  const b = app.local.builder;
  if (!b) return "";
  const o = app.state.offers, e = eventOf(app), title = b.row ? `Change ${b.row.name}` : "Add a trigger";
  const characters = o.characters.filter(([project]) => project === b.project).map(([, name]) => name);
  return html`<div class="scrim" data-key="builder"><div class="dialog ask form tbuild" role="dialog" aria-modal="true" aria-label="${title}"><h3>${title}</h3>${b.row?.unreadable && callout("warning", html`<b class="med">It cannot be read as it is.</b> ${b.row.unreadable} What this form does not know is left out of it.`)}<div class="scroll tall"><div class="flds">${fld("Name", input("name", "Name", b.name, 'placeholder="clothed scenes"'))}${fld("When this happens", select("on", "When this happens", b.on, o.events.map((x) => [x.kind, x.kind])), "half")}${fld("Project", select("project", "Project", b.project, [["", "The whole studio"], ...plain(o.projects)]), "half")}${e.fields.includes("character") && fld("Character", select("character", "Character", b.character, [["", "Every character"], ...plain(characters)]), "half")}${e.fields.includes("scene_type") && fld("Scene type", select("scene_type", "Scene type", b.scene_type, [["", "Every scene type"], ...plain(o.scene_types)]), "half")}</div>${conditions(app, "when", "Only where")}${conditions(app, "branch", "If")}${actionList(app, "do", "Then")}${b.branch.length > 0 && actionList(app, "otherwise", "Otherwise")}<div class="flds">${fld("At most so often in one chain", input("at_most", "At most so often in one chain", b.at_most, 'type="number" min="1" max="50" placeholder="no limit"'), "half")}${fld("Actions", select("together", "Actions", b.together, [["", "In order, until one fails"], ["yes", "All at the same time"]]), "half")}${fld("For people", input("description", "For people", b.description, 'maxlength="500" placeholder="what it is for"'))}</div>${b.tried && html`<h4 class="caps">Dry run</h4>${dryRows(app, b.tried)}`}</div>${b.fault && callout("failed", html`<b class="med">${b.fault.text}</b> ${b.fault.hint}`)}<div class="row end"><span class="xs muted wide">${b.busy ? "Working…" : html`${kbd("Esc")} changes nothing`}</span>${grow}${button("Dry run", { act: "tryRule", icon: "play", disabled: b.busy })}${button("Cancel", { act: "closeBuilder" })}${button(b.row ? "Save" : "Add trigger", { act: "saveRule", cls: "primary", keys: ["⌘⏎"], disabled: b.busy })}</div></div></div>`;
}

// ---------------------------------------------------------------- the rule as it is sent
const number = (text) => (text !== "" && !Number.isNaN(Number(text)) ? Number(text) : text);
const listed = (text) => { const names = String(text).split(",").map((x) => x.trim()).filter(Boolean); return names.length === 1 && ["same", "all"].includes(names[0].toLowerCase()) ? names[0].toLowerCase() : names; };

function actionOf(a) {
  const found = { action: a.action };
  for (const [name, , kind] of OPTIONS[a.action]) {
    const value = String(a[name] ?? "").trim();
    if (!value) continue;
    found[name] = { names: listed, scene_types: listed, variants: listed, number, yes: () => true, people: (t) => t.split(",").map((x) => x.trim()).filter(Boolean) }[kind]?.(value) ?? value;
  }
  return found;
}

const conditionOf = (c) => ({ field: c.field, [c.op]: c.many ? String(c.value).split(",").map((x) => x.trim()).filter(Boolean) : WORDY.includes(c.op) && !NUMBERS.includes(c.field) ? c.value : number(c.value) });

// A rule as the form shows it: words and lists as text, what is usual left empty. Of one that cannot be read, what the
// form knows.
function formOf(row, offers) {
  const listOf = (x) => (Array.isArray(x) ? x.filter((y) => y && typeof y === "object") : []);
  const rule = row.rule && typeof row.rule === "object" ? row.rule : {};
  const on = [rule.on, row.event].find((kind) => offers.events.some((e) => e.kind === kind)) || offers.events[0].kind;
  const part = ({ field, ...rest }) => { const [[op, value]] = Object.entries(rest), many = Array.isArray(value); return { field, op, value: many ? value.join(", ") : String(value), many }; };
  const step = ({ action, ...rest }) => ({ action, ...Object.fromEntries(Object.entries(rest).map(([k, v]) => [k, Array.isArray(v) ? v.join(", ") : v === true ? "yes" : String(v)])) });
  const conditionsOf = (x) => listOf(x).filter((c) => Object.keys(c).length > 1).map(part);
  const stepsOf = (x) => listOf(x).filter((a) => a.action in OPTIONS).map(step);
  return { name: rule.name || row.name, on, project: rule.project || "", character: rule.character || "", scene_type: rule.scene_type || "", description: rule.description || "", when: conditionsOf(rule.when), branch: conditionsOf(rule.if), do: stepsOf(rule.do), otherwise: stepsOf(rule.otherwise), at_most: rule.at_most ? String(rule.at_most) : "", together: rule.together ? "yes" : "" };
}

export function ruleOf(b) {
  const rule = { name: b.name, on: b.on, when: b.when.map(conditionOf), if: b.branch.map(conditionOf), do: b.do.map(actionOf), otherwise: b.branch.length ? b.otherwise.map(actionOf) : [], together: b.together === "yes" };
  for (const key of ["project", "character", "scene_type", "description"]) if (b[key]) rule[key] = b[key];
  if (String(b.at_most).trim()) rule.at_most = number(b.at_most);
  return rule;
}

async function send(app, name, more) {
  const b = app.local.builder;
  if (!b || b.busy) return null;
  Object.assign(b, { busy: true, fault: null });
  app.draw();
  const value = await app.ask(name, { rule: ruleOf(b), ...more });
  b.busy = false;
  if (app.local.builder !== b) return null; // it was closed meanwhile
  if (value?.problem) { b.fault = value.problem; app.draw(); return null; }
  return value;
}

export const builderActions = {
  ruleField: (app, value, event) => {
    const b = app.local.builder, path = event.target.name.split(".");
    if (!b) return;
    const last = path.pop(), at = path.reduce((o, k) => o[k], b);
    at[last] = value;
    if (last === "field") Object.assign(at, { op: "is", value: "", many: false });
    if (last === "action") for (const key of Object.keys(at)) if (key !== "action") delete at[key];
    if (event.target.name === "project") b.character = "";
    if (event.target.name === "on") Object.assign(b, { when: [], branch: [], character: "", scene_type: "" });
    b.tried = null;
  },
  addPart: (app, key) => { app.local.builder[key].push(["do", "otherwise"].includes(key) ? blankAction() : blankCondition()); if (key === "branch" && !app.local.builder.otherwise.length) app.local.builder.otherwise.push(blankAction()); },
  dropPart: (app, [key, i]) => { app.local.builder[key].splice(i, 1); },
  closeBuilder: (app) => app.set({ builder: null }),
  tryRule: async (app) => { const value = await send(app, "dry_run_trigger", {}); if (value) { app.local.builder.tried = value; app.draw(); document.querySelector(".tbuild .dry, .tbuild .tall > p")?.scrollIntoView({ block: "nearest" }); } },
  saveRule: async (app) => {
    const b = app.local.builder, row = b?.row;
    const value = row ? await send(app, "change_trigger", { trigger_id: row.id, version: row.version }) : await send(app, "add_trigger", {});
    if (!value) return;
    app.local.builder = null;
    const back = row && !row.unreadable; // what cannot be read is not taken back
    app.local.before = back ? { trigger_id: row.id, rule: row.rule } : null;
    app.toast({ text: value.text, ...(back && { seconds: 10, action: { label: "Undo", key: "Z", act: "undoRule" } }) });
    b.done(value.trigger_id);
    app.draw();
  },
  undoRule: async (app) => {
    const before = app.local.before;
    if (!before) return;
    app.local.before = null;
    const value = await app.ask("change_trigger", before);
    app.toast(value.problem ? { text: value.problem.text, more: value.problem.hint, status: "failed" } : { text: `Undone: ${value.text.replace(/ is changed/, " is as it was")}` });
  },
};
