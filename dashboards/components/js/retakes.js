// Retake policies: which takes are made again by themselves after a failed gate, and what varies.
import { html, icon, tag, panel, grow, button, iconButton, attrs, many } from "./kit.js";
import { openForm } from "./forms.js";

const find = (app, key) => app.state.retakes.rows.find((r) => `${r.scope}|${r.name}` === key);

export const inWords = (r) => [
  `up to ${many(r.most, "retake")} of a segment${r.best_of > 1 ? `, the best of ${r.best_of} at a time` : ""}`,
  r.gates.length ? `where ${r.gates.join(" or ")} fails` : "whichever gate fails",
  ["a new seed", ...r.vary.map((v) => v.replace("=", " ±"))].join(", "),
  ...(r.phrases.length ? [`with the words ${r.phrases.map((p) => `“${p}”`).join(", ")} in turn`] : []),
].join("; ");

function row(app, r) {
  const may = app.state.retakes.may[r.scope], key = `${r.scope}|${r.name}`;
  return html`<div class="pol1" data-key="policy-${key}"><div class="row"><b class="med ell">${r.name}</b>${tag(r.scope)}${grow}${may && html`${button("Edit…", { act: "changeRetakes", arg: key, cls: "sm" })}${iconButton("trash-2", `Remove the retake policy of ${r.name}`, "removeRetakes", key, { size: "sm" })}`}</div><div class="xs secondary">${inWords(r)}</div></div>`;
}

export function retakePanel(app) {
  const { rows, may } = app.state.retakes, any = may.project || may["scene type"];
  const body = rows.length ? html`<div class="scroll">${rows.map((r) => row(app, r))}</div>` : html`<p class="pad muted">None: a failed gate always waits for a person.${any ? "" : " Creators and Admins set policies."}</p>`;
  return panel("tretakes", html`<h2>Retakes by themselves</h2>${grow}${any && button("Set…", { act: "addRetakes", icon: "plus", cls: "sm", keys: ["P"] })}`, html`${body}<p class="pad xs muted">${icon("rotate-ccw", "xs")} A scene type's policy goes before its project's; each retake is charged to the budget.</p>`);
}

const told = (app, value) => {
  if (value?.problem) { app.toast({ text: value.problem.text, more: value.problem.hint, status: "failed", seconds: 10 }); return; }
  app.toast({ text: value.text, seconds: 10, action: value.undo && { act: "undoRetakes", arg: value.undo, label: "Undo", key: "⌘Z" } });
};

const pack = ({ holder, scope, name, ...policy }) => { const [s, ...n] = holder ? holder.split("|") : [scope, name]; return { scope: s, name: n.join("|"), policy }; };

function form(app, r) {
  const { retakes } = app.state, mine = (scope, names) => (retakes.may[scope] ? names.filter((n) => !find(app, `${scope}|${n}`)).map((n) => [`${scope}|${n}`, `${n} (${scope})`]) : []);
  const holders = [...mine("scene type", retakes.scene_types), ...mine("project", retakes.projects)];
  const whose = r ? [] : [{ name: "holder", label: "Whose takes", value: holders[0]?.[0] || "", options: holders }];
  openForm(app, {
    name: "set_retakes", title: r ? `Retakes of ${r.name}` : "Set a retake policy", label: "Set", quiet: true, pack, args: r ? { scope: r.scope, name: r.name } : {},
    text: "A segment whose take fails a gate is made again with a new seed, within the budget of who submitted it. Takes that wait follow at once.",
    fields: [...whose,
      { name: "most", label: "Retakes at most", value: r?.most ?? 3, half: true, hint: `Of one segment, 1 to ${retakes.most}` },
      { name: "best_of", label: "Best of", value: r?.best_of ?? 1, half: true, hint: "Side by side; the best that passes is used" },
      { name: "gates", label: "Gates", value: (r?.gates || []).join(", "), placeholder: "any", hint: `Apart by commas; empty: any. ${retakes.metrics.slice(0, 12).join(", ")}${retakes.metrics.length > 12 ? " …" : ""}` },
      { name: "vary", label: "Vary", value: (r?.vary || []).join(", "), placeholder: "cfg=0.5", hint: "SLOT=RANGE, apart by commas; the seed is always new" },
      { name: "phrases", label: "Words for the prompt", value: (r?.phrases || []).join("\n"), rows: 3, placeholder: "soft light", hint: "One a line; retakes use them in turn" }],
    done: (value) => told(app, value),
  });
}

export const retakeActions = {
  addRetakes: (app) => { if (Object.values(app.state.retakes.may).some(Boolean)) form(app, null); },
  changeRetakes: (app, key) => { const r = find(app, key); if (r) form(app, r); },
  removeRetakes: async (app, key) => { const r = find(app, key); if (r) told(app, await app.ask("remove_retakes", { scope: r.scope, name: r.name })); },
  undoRetakes: async (app, undo) => {
    app.ui.toasts = app.ui.toasts.filter((t) => t.action?.arg !== undo);
    const value = await app.ask(undo.name, undo.args);
    if (value.problem) told(app, value); else app.toast({ text: "Taken back" });
  },
};
