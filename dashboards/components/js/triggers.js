// Triggers: the chain they are in, the rules with their switches, what they did, and webhooks.
import { html, raw, icon, shape, badge, tag, panel, grow, button, iconButton, emptyState, callout, attrs, ago, many } from "./kit.js";
import { ask } from "./shell.js";
import { openForm, formBox, formActions, withForm } from "./forms.js";
import { retakeActions, retakePanel } from "./retakes.js";
import { builder, builderActions, openBuilder, dryRows } from "./trigger_form.js";

const chosen = (app) => app.state.rows.find((r) => r.id === app.state.chosen) || null;
const go = (app, id) => { const href = id ? `/triggers?trigger=${id}` : "/triggers"; history.replaceState({}, "", href); app.set({ tried: null }); app.open(href, { push: false }); };

// ---------------------------------------------------------------- the chain
const WIDE = 146, HIGH = 46, GAP = 42, LEFT = 16, TOP = 30, ROW = 52;
const BY = { auto: "Goes by itself", human: "A person decides", trigger: "A trigger takes this step" };

function chart(app) {
  const { stages, steps, triggers } = app.state.chain;
  const at = Object.fromEntries(stages.map((s, i) => [s.id, LEFT + i * (WIDE + GAP)]));
  const lanes = [];
  const placed = triggers.map((t) => {
    const xs = [t.from, ...t.to].filter(Boolean).map((id) => at[id]);
    const middle = xs.length ? (Math.min(...xs) + Math.max(...xs)) / 2 : LEFT;
    let lane = lanes.findIndex((taken) => taken.every((x) => Math.abs(x - middle) >= WIDE + 28));
    if (lane < 0) { lanes.push([]); lane = lanes.length - 1; }
    lanes[lane].push(middle);
    return { ...t, x: middle, y: TOP + HIGH + 44 + lane * ROW };
  });
  const width = LEFT * 2 + stages.length * (WIDE + GAP) - GAP, height = TOP + HIGH + 30 + Math.max(1, lanes.length) * ROW;
  const edge = (d, cls) => html`<path class="${cls}" d="${d}" marker-end="url(#chain-tip)"/>`;
  const straight = steps.map((s) => edge(`M${at[s.from] + WIDE} ${TOP + HIGH / 2}H${at[s.to] - 3}`, `step ${s.by}`));
  const labels = steps.filter((s) => s.label).map((s) => html`<span class="chlabel ${s.by}" style="left:${at[s.from] + WIDE}px;top:${TOP + HIGH / 2 - 19}px;width:${GAP - 4}px" title="${BY[s.by]}">${s.label}</span>`);
  const bent = placed.map((t) => {
    const into = t.from && edge(`M${at[t.from] + WIDE / 2 - 10} ${TOP + HIGH}C${at[t.from] + WIDE / 2 - 10} ${t.y - 18} ${t.x + WIDE / 2 - 14} ${TOP + HIGH + 12} ${t.x + WIDE / 2 - 14} ${t.y - 3}`, `link ${t.enabled ? "" : "off"}`);
    return html`${into}${t.to.map((id) => edge(`M${t.x + WIDE / 2 + 14} ${t.y}C${t.x + WIDE / 2 + 14} ${TOP + HIGH + 12} ${at[id] + WIDE / 2 + 10} ${t.y - 18} ${at[id] + WIDE / 2 + 10} ${TOP + HIGH + 3}`, `link ${t.enabled ? "" : "off"}`))}`;
  });
  const nodes = stages.map((s) => html`<div class="chnode ${s.by}" style="left:${at[s.id]}px;top:${TOP}px;width:${WIDE}px;height:${HIGH}px" title="${s.note}" data-key="stage-${s.id}">${icon(s.by === "human" ? "users" : "cpu", "sm")}<span><b class="med">${s.label}</b><i class="xs muted">${s.by === "human" ? "a person decides" : "by itself"}</i></span></div>`);
  const mine = placed.map((t) => html`<button type="button" class="chtrigger ${t.enabled ? "" : "off"} ${t.id === app.state.chosen ? "cur" : ""}" style="left:${t.x}px;top:${t.y}px;width:${WIDE}px" data-key="link-${t.id}" ${attrs("pickTrigger", t.id)} title="${t.name}: on ${t.event}${t.enabled ? "" : ", disabled"}">${icon("fast-forward", "xs")}<span class="ell">${t.name}</span>${t.says.map((s) => icon(s === "notify" ? "bell" : "plug", "xs"))}</button>`);
  const legend = html`<span class="row g1 xs muted"><i class="lg auto"></i>by itself</span><span class="row g1 xs muted"><i class="lg human"></i>a person</span><span class="row g1 xs muted"><i class="lg trigger"></i>a trigger</span>`;
  return panel("chain", html`<h2>Chain</h2>${grow}${legend}`, html`<div class="chain" role="img" aria-label="${words(app)}"><div class="chbox" style="width:${width}px;height:${height}px"><svg width="${width}" height="${height}" aria-hidden="true"><defs><marker id="chain-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0 8 4 0 8Z"/></marker></defs>${straight}${bent}</svg>${nodes}${labels}${mine}</div></div>`);
}

function words(app) {
  const { stages, steps, triggers } = app.state.chain, name = Object.fromEntries(stages.map((s) => [s.id, s.label]));
  return [...steps.map((s) => `${name[s.from]} to ${name[s.to]}: ${BY[s.by].toLowerCase()}`), ...triggers.map((t) => `${t.name}: ${t.from ? `from ${name[t.from]}` : `on ${t.event}`}${t.to.length ? ` to ${t.to.map((id) => name[id]).join(", ")}` : ""}${t.enabled ? "" : ", disabled"}`)].join("; ");
}

// ---------------------------------------------------------------- the rules
const toggle = (app, r) => {
  const may = app.state.may.manage && !r.unreadable && (r.enabled || !r.costly || app.state.may.costly);
  return html`<button type="button" class="switch" role="switch" aria-checked="${String(r.enabled)}" aria-label="${r.name}" title="${may ? (r.enabled ? "Let it act no more" : "Let it act, with your rights") : r.unreadable ? "It cannot be read: change or remove it" : r.costly ? "It costs GPU time: an Admin enables it" : "Creators and Admins switch triggers"}" ${attrs("switchTrigger", r.id)} ${raw(may ? "" : "disabled")}><span class="toggle ${r.enabled ? "on" : ""}"></span></button>`;
};

function row(app, r) {
  const cur = r.id === app.state.chosen;
  return html`<tr class="${cur ? "cur" : ""}" data-key="trigger-${r.id}" data-row="${r.id}" ${attrs("pickTrigger", r.id)}><td>${toggle(app, r)}</td><td class="what"><b class="med">${r.name}</b><div class="xs muted ell">${r.scope}</div></td><td class="mono">${r.event}</td><td class="trule">${r.unreadable ? html`<span class="row g1 warnc">${shape("warning")}cannot be read</span>` : html`<span class="ell">${[...r.when, ...r.branch].join(" and ") || html`<span class="muted">always</span>`}</span>`}</td><td class="trule"><span class="ell">${r.do.join(", ")}${r.otherwise.length > 0 && html` <span class="muted">else</span> ${r.otherwise.join(", ")}`}</span></td><td>${r.costly && tag("GPU time", "cpu")}</td><td class="tnum right">${r.fired}</td><td class="right">${r.last ? html`<span title="${r.last.word}" class="row g1 endrow">${shape(r.last.status)}<span class="muted">${ago(r.last.at, app.now())}</span></span>` : html`<span class="muted">never</span>`}</td></tr>`;
}

function list(app) {
  const { rows, may } = app.state;
  const add = button("Add trigger", { act: "addTrigger", icon: "plus", cls: "primary", keys: ["A"], disabled: !may.manage });
  return panel("trows", html`<h2>Rules</h2><span class="badge tag">${rows.length}</span>`, rows.length
    ? html`<div class="scroll"><table class="table ttable"><thead><tr><th>Acts</th><th>Trigger</th><th>When</th><th>If</th><th>Then</th><th></th><th class="n">Fired</th><th class="n">Last</th></tr></thead><tbody>${rows.map((r) => row(app, r))}</tbody></table></div>`
    : emptyState({ title: "No trigger yet", text: "A trigger does by itself what follows from an event: scenes when an image is approved, a retake when a take fails, a delivery when all is approved.", actions: add, command: "x121 trigger add FILE.toml", art: false }));
}

function detail(app, r) {
  const tried = app.local.tried;
  const actions = (list_, name) => list_.length > 0 && html`<dt>${name}</dt><dd>${list_.map((a, i) => html`${i > 0 && html`<span class="muted">${r.together ? " and " : " then "}</span>`}${a}`)}</dd>`;
  return panel("tdetail", html`<h2 class="ell">${r.name}</h2>${badge(r.unreadable ? "failed" : r.enabled ? "approved" : "none", r.unreadable ? "Cannot be read" : r.enabled ? "Enabled" : "Disabled")}${grow}${button("Dry run", { act: "dryRun", icon: "play", cls: "sm", keys: ["D"], disabled: Boolean(r.unreadable) })}${button("Change…", { act: "changeTrigger", cls: "sm", keys: ["C"], disabled: !app.state.may.manage })}${button("Remove…", { act: "removeTrigger", cls: "sm danger-quiet", disabled: !app.state.may.manage })}`, html`<div class="body scrolls">${r.unreadable && callout("failed", html`<b class="med">It cannot be read and does not act.</b> ${r.unreadable}${app.state.may.manage ? " Change… gives it another rule, Remove… takes it away." : " A Creator or an Admin changes or removes it."}`)}${r.description && html`<p class="secondary">${r.description}</p>`}<dl class="kv tight trkv"><dt>When</dt><dd class="mono">${r.event}</dd><dt>Whose</dt><dd>${r.scope}</dd>${r.when.length > 0 && html`<dt>Only where</dt><dd>${r.when.join(" and ")}</dd>`}${r.branch.length > 0 && html`<dt>If</dt><dd>${r.branch.join(" and ")}</dd>`}${actions(r.do, "Then")}${actions(r.otherwise, "Otherwise")}${!r.unreadable && html`<dt>In one chain</dt><dd>${r.at_most ? `at most ${r.at_most} times` : "no limit of its own"}</dd>`}<dt>Acts as</dt><dd>${r.acts_as || "nobody while it is disabled"}</dd></dl>${tried && html`<h3 class="caps">Dry run</h3>${dryRows(app, tried)}`}</div>`);
}

function firing(app, f) {
  return html`<div class="fire1" data-key="fire-${f.id}"><div class="row">${shape(f.status)}<b class="med ell">${f.trigger}</b><span class="secondary">${f.word}</span>${grow}<span class="xs muted">${ago(f.at, app.now())}</span></div><div class="xs secondary"><span class="mono">${f.event}</span> of ${f.about}, event <span class="mono">${f.event_id}</span>${f.after && html`, after <b class="med">${f.after}</b>`}${f.branch === "otherwise" && ", otherwise"}</div>${f.message && !f.actions.some((a) => a.said === f.message) && html`<div class="xs">${f.message}</div>`}${f.actions.map((a) => html`<div class="row xs">${shape(a.status)}<span>${a.action}</span><span class="secondary ell2">${a.said || a.word}</span></div>`)}${f.effects.map((e) => html`<div class="xs muted effect">${icon("chevron-right", "xs")}${e}</div>`)}</div>`;
}

function log(app) {
  const r = chosen(app);
  return panel("tlog", html`<h2>Log</h2>${r && html`<span class="xs muted ell">of ${r.name}</span>`}${grow}${r && button("All", { act: "pickTrigger", arg: "", cls: "sm ghost" })}`, app.state.log.length ? html`<div class="scroll fires">${app.state.log.map((f) => firing(app, f))}</div>` : html`<p class="pad muted">${r ? "It has not fired yet." : "No trigger has fired yet."}</p>`);
}

// ---------------------------------------------------------------- webhooks
function hooks(app) {
  const { webhooks, may } = app.state;
  const one = (w) => html`<div class="hook1" data-key="hook-${w.name}"><div class="row"><b class="med mono">${w.name}</b>${grow}${may.webhooks && html`${button("Test", { act: "testHook", arg: w.name, cls: "sm" })}${button("Log", { act: "hookLog", arg: w.name, cls: "sm ghost" })}${iconButton("trash-2", `Remove ${w.name}`, "removeHook", w.name, { size: "sm" })}`}</div><div class="xs muted ell mono">${w.url}</div><div class="row xs"><span>${w.delivered} delivered</span>${w.waiting > 0 && html`<span class="c st-pending">${w.waiting} waiting</span>`}${w.failed > 0 && html`<span class="c st-failed">${w.failed} given up</span>`}${w.last_at && html`<span class="muted ell">${w.last}, ${ago(w.last_at, app.now())}</span>`}</div></div>`;
  return panel("thooks", html`<h2>Webhooks</h2>${grow}${may.webhooks && button("Add…", { act: "addHook", cls: "sm", icon: "plus" })}`, webhooks.length ? html`<div class="scroll">${webhooks.map(one)}</div>` : html`<p class="pad muted">None yet. A webhook is a program outside that triggers tell things.${!may.webhooks && " Admins add them."}</p>`);
}

function hookLog(app) {
  const box = app.local.hooklog;
  if (!box) return "";
  return html`<div class="scrim" data-key="hooklog"><div class="dialog ask form tbuild" role="dialog" aria-modal="true" aria-label="Messages to ${box.name}"><h3>Messages to ${box.name}</h3><div class="scroll tall">${box.rows.length === 0 && html`<p class="muted">None yet.</p>`}${box.rows.map((m) => html`<div class="row hookmsg" data-key="msg-${m.id}">${shape(m.status)}<span class="mono">${m.event}</span><span class="xs muted">${ago(m.at, app.now())}</span><span class="xs">${many(m.attempts, "attempt")}</span><span class="grow ell xs secondary">${m.said}</span>${button("Send again", { act: "retryHook", arg: m.id, cls: "sm ghost" })}</div>`)}</div><div class="row end">${grow}${button("Close", { act: "closeHookLog" })}</div></div></div>`;
}

// ---------------------------------------------------------------- what is done
const step = (app, by) => { const l = app.state.rows; const at = l.findIndex((r) => r.id === app.state.chosen); const next = l[Math.min(l.length - 1, Math.max(0, at + by))]; if (next && next.id !== app.state.chosen) go(app, next.id); };

const actions = {
  ...formActions,
  ...builderActions,
  ...retakeActions,
  pickTrigger: (app, id) => go(app, id),
  addTrigger: (app) => { if (app.state.may.manage) openBuilder(app, (id) => go(app, id)); },
  changeTrigger: (app) => { const r = chosen(app); if (r && app.state.may.manage) openBuilder(app, (id) => go(app, id), r); },
  switchTrigger: (app, id) => { const r = app.state.rows.find((x) => x.id === id); if (r) app.act("switch_trigger", { trigger_id: id, on: !r.enabled }); },
  dryRun: async (app) => { const r = chosen(app); if (!r || r.unreadable) return; const value = await app.ask("dry_run_trigger", { trigger_id: r.id }); if (value.problem) app.toast({ text: value.problem.text, more: value.problem.hint, status: "failed" }); else app.set({ tried: value }); },
  removeTrigger: (app) => { const r = chosen(app); if (r && app.state.may.manage) ask(app, { title: `Remove ${r.name}?`, text: "It acts no more. Its log stays.", label: "Remove", cls: "danger", status: "failed", keys: ["⌘⏎"], done: () => { app.act("remove_trigger", { trigger_id: r.id }); go(app, ""); } }); },
  addHook: (app) => openForm(app, { name: "add_webhook", title: "Add a webhook", label: "Add", args: {}, text: "Calls are signed with a key that is made now and shown once. The address must be https at a public address, unless the studio allows the host.", fields: [{ name: "name", label: "Name", placeholder: "studio-chat", hint: "Lower-case letters, digits, - and _" }, { name: "url", label: "Address", placeholder: "https://chat.example.com/hooks/42" }], done: (value) => ask(app, { title: "Its key, shown this once", text: value.key, label: "I have kept it", status: "info", done: () => {} }) }),
  testHook: (app, name) => app.act("test_webhook", { name }),
  hookLog: async (app, name) => { const value = await app.ask("webhook_log", { name }); if (value.problem) app.toast({ text: value.problem.text, more: value.problem.hint, status: "failed" }); else app.set({ hooklog: { name, rows: value.rows } }); },
  closeHookLog: (app) => app.set({ hooklog: null }),
  retryHook: (app, id) => { app.act("retry_webhook", { call_id: id }); app.set({ hooklog: null }); },
  removeHook: (app, name) => ask(app, { title: `Remove ${name}?`, text: "Its messages and its key are removed with it; triggers that call it will fail.", label: "Remove", cls: "danger", status: "failed", done: () => app.act("remove_webhook", { name }) }),
};

const free = (app, act) => { if (!app.local.builder && !app.local.hooklog) act(app); };

export const triggers = {
  title: () => "Triggers",
  crumbs: (app) => (chosen(app) ? ["Triggers", chosen(app).name] : ["Triggers"]),
  help: [["↑ ↓", "Choose a trigger"], ["A", "Add a trigger"], ["E", "Let it act, or no more"], ["C", "Change"], ["Z", "Undo the change"], ["D", "Dry run"], ["Delete", "Remove"], ["P", "Set a retake policy"], ["⌘⏎", "Save the rule"]],
  commands: (app) => (app.state.may.manage ? [{ label: "Add trigger", act: "addTrigger", icon: "plus", keys: ["A"] }] : []),
  keys: withForm({
    ArrowUp: (app) => free(app, () => step(app, -1)), ArrowDown: (app) => free(app, () => step(app, 1)),
    c: (app) => free(app, actions.changeTrigger), z: (app) => free(app, actions.undoRule),
    a: (app) => free(app, actions.addTrigger), p: (app) => free(app, actions.addRetakes), d: (app) => free(app, actions.dryRun), Delete: (app) => free(app, actions.removeTrigger),
    e: (app) => free(app, () => { const r = chosen(app); if (r && app.state.may.manage && !r.unreadable) actions.switchTrigger(app, r.id); }),
    Escape: (app) => { if (app.local.builder) app.set({ builder: null }); else if (app.local.hooklog) app.set({ hooklog: null }); else if (app.local.tried) app.set({ tried: null }); },
    "Meta+Enter": (app) => { if (app.local.builder) builderActions.saveRule(app); },
  }),
  actions,
  render: (app) => {
    const { rows, may } = app.state, on = rows.filter((r) => r.enabled).length, r = chosen(app);
    return html`<div class="head"><h1>Triggers</h1>${rows.length > 0 && html`<span class="facts"><b class="secondary med">${on}</b> of ${many(rows.length, "trigger")} act</span>`}${grow}${button("Add trigger", { act: "addTrigger", icon: "plus", cls: "primary", keys: ["A"], disabled: !may.manage, title: may.manage ? "" : "Creators and Admins add triggers" })}</div><div class="tpage">${chart(app)}<div class="tgrid"><div class="tleft">${list(app)}${r && detail(app, r)}</div><div class="tright">${log(app)}${retakePanel(app)}${hooks(app)}</div></div></div>${builder(app)}${formBox(app)}${hookLog(app)}`;
  },
};
