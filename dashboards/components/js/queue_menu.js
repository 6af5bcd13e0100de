// The menu of one or several tasks: on the right button, on M, and on the arrow at a row's end.
import { html, raw, icon, attrs, kbd, many } from "./kit.js";

export function openMenu(app, ids, x, y, { focus = false } = {}) {
  app.ui.menu = "tasks";
  app.local.menu = { ids, x: Math.max(8, Math.min(x, innerWidth - 268)), y: Math.max(8, Math.min(y, innerHeight - 486)) };
  app.drawNow();
  if (focus) document.querySelector(".ctxmenu button:not([disabled])")?.focus();
}

function entries(tasks) {
  const can = (what) => tasks.length > 0 && tasks.every((t) => t.can.includes(what));
  const one = tasks.length === 1 ? tasks[0] : null;
  return [
    ["Details", "details", null, { keys: ["D"], off: !one }],
    ["To the front", "front", null, { icon: "arrow-up", keys: ["⇧↑"], off: !can("front") }], ["To the back", "back", null, { off: !can("front") }],
    "-",
    ["Urgent", "cls", "Urgent", { off: !can("edit") }], ["Normal", "cls", "Normal", { off: !can("edit") }], ["Background", "cls", "Background", { off: !can("edit") }],
    ["Off-peak only", "offPeak", true, { off: !can("edit") }], ["At any hour", "offPeak", false, { off: !can("edit") }], ["Start at once", "atOnce", null, { off: !can("edit") || tasks.every((t) => t.word !== "Scheduled") }],
    "-",
    ...(can("resume") ? [["Go on", "resume", null, { icon: "play" }]] : [["Pause", "pause", null, { icon: "pause", off: !can("pause") }]]),
    ["Pause the scene", "hold", ["scene", one?.scene_id], { off: !one?.scene_id || !can("cancel") }], ["Pause the project", "hold", ["project", one?.project], { off: !one || !can("cancel") }],
    "-",
    ["Try again", "retry", null, { icon: "refresh-cw", off: !can("retry") }], ["Cancel", "cancel", null, { icon: "x", keys: ["⌫"], off: !can("cancel"), cls: "danger" }],
  ];
}

export function menuBox(app, byId) {
  const menu = app.local.menu;
  if (app.ui.menu !== "tasks" || !menu) return "";
  const tasks = menu.ids.map((id) => byId(app, id)).filter(Boolean);
  const title = tasks.length === 1 ? `${tasks[0].character} · ${tasks[0].detail}` : many(tasks.length, "task");
  const lines = entries(tasks).map((entry, i) => (entry === "-" ? html`<hr data-key="hr-${i}">` : html`<button type="button" role="menuitem" class="ctx ${entry[3].cls || ""}" data-key="ctx-${entry[0]}" ${attrs("menuDo", [entry[1], entry[2]])} ${raw(entry[3].off ? "disabled" : "")}><span class="ctxi">${entry[3].icon && icon(entry[3].icon, "sm")}</span><span class="grow">${entry[0]}</span>${entry[3].keys && kbd(...entry[3].keys)}</button>`));
  return html`<div class="panel ctxmenu" role="menu" aria-label="${title}" data-key="ctxmenu" style="left:${menu.x}px;top:${menu.y}px"><div class="xs muted ell ctxt">${title}</div>${lines}</div>`;
}

export const menuActions = (does) => ({
  menuDo: (app, [name, arg]) => { const ids = app.local.menu?.ids || []; app.ui.menu = null; app.local.menu = null; does[name](app, ids, arg); },
});

// While the menu is open, arrows go through it and Escape closes it.
export function menuKeys(keys) {
  const open = (app) => app.ui.menu === "tasks";
  const go = (by) => { const all = [...document.querySelectorAll(".ctxmenu button:not([disabled])")]; all[(all.indexOf(document.activeElement) + by + all.length) % all.length]?.focus(); };
  return { ...keys,
    ArrowDown: (app, event) => (open(app) ? go(1) : keys.ArrowDown(app, event)), ArrowUp: (app, event) => (open(app) ? go(-1) : keys.ArrowUp(app, event)),
    Escape: (app, event) => { if (open(app)) { app.ui.menu = null; app.local.menu = null; } else keys.Escape(app, event); },
  };
}
