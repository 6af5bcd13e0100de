// AppShell: rail, project switcher, breadcrumb, command palette, job tray, look, status bar, toasts, dialogs.
import { html, raw, icon, shape, kbd, bar, badge, avatar, button, iconButton, attrs, clock, percent, segmented, toast, callout, hhmm, day, ago } from "./kit.js";

export const PAGES = {
  pulse: { href: "/pulse", icon: "activity", label: "Pulse", key: "P" },
  characters: { href: "/characters", icon: "users", label: "Characters", key: "C" },
  matrix: { href: "/matrix", icon: "layout-grid", label: "Matrix", key: "M" },
  review: { href: "/review", icon: "circle-play", label: "Review", key: "R" },
  queue: { href: "/queue", icon: "chart-gantt", label: "Queue", key: "Q" },
  deliveries: { href: "/deliveries", icon: "package-check", label: "Deliveries", key: "D" },
  workers: { href: "/workers", icon: "server", label: "Workers", key: "F" },
  models: { href: "/models", icon: "box", label: "Models", key: "O" },
  workflows: { href: "/workflows", icon: "workflow", label: "Workflows", key: "W" },
  triggers: { href: "/triggers", icon: "fast-forward", label: "Triggers", key: "T" },
  budgets: { href: "/budgets", icon: "wallet", label: "Budgets", key: "B" },
  debugger: { href: "/debugger", hidden: true, under: "queue", label: "Debugger" },
  character: { href: "/character", hidden: true, under: "characters", label: "Character" },
  catalogue: { href: "/catalogue", hidden: true, label: "Components" },
};
const RAIL = ["pulse", "characters", "matrix", "review", "queue", "deliveries", "budgets", "triggers", "workflows", "workers", "models"];
const TABS = ["pulse", "review", "matrix", "queue", "characters"];

const LOGO = raw('<svg width="26" height="26" viewBox="0 0 26 26" aria-label="X121"><path d="M3 4.5 9.6 13 3 21.500h4.300L13 14.100l5.700 7.400H23L16.400 13 23 4.500h-4.300L13 11.900 7.300 4.500Z" fill="currentColor"/><path class="logodot" d="M13 11.900 11.800 13.400 13 14.900 14.200 13.400Z"/></svg>');

export function shell(app, body) {
  const view = app.shell;
  return html`<div class="shell ${app.offline ? "offline" : ""}" data-page="${app.page}">
${rail(app)}
<header class="topbar">${place(app)}${searchBox()}<div class="end">${jobTray(app, view.jobs)}${bell(app)}${me(app)}</div></header>
<main class="main" id="main">${app.offline && offlineStrip(app)}${body}</main>
${statusbar(app)}${tabs(app)}${overlays(app)}</div>`;
}

function rail(app) {
  const here = PAGES[app.page]?.under || app.page;
  return html`<nav class="rail" aria-label="Pages"><a class="logo" href="/pulse" title="X121">${LOGO}</a>${RAIL.map((name) => {
    const page = PAGES[name];
    const waits = name === "review" && app.shell.review_count > 0;
    return html`<a class="${name === here ? "on" : ""}" href="${page.href}" title="${page.label}  G ${page.key}" aria-label="${page.label}" ${raw(name === here ? 'aria-current="page"' : "")} data-key="${name}">${icon(page.icon, "lg")}${waits && html`<span class="dot">${app.shell.review_count}</span>`}</a>${name === "review" && html`<span class="sep"></span>`}`;
  })}<span class="grow"></span><button type="button" title="Keyboard shortcuts  ?" aria-label="Keyboard shortcuts" ${attrs("help")}>${icon("keyboard", "lg")}</button><button type="button" title="Look" aria-label="Look" ${attrs("menu", "look")}>${icon("settings", "lg")}</button></nav>`;
}

function tabs(app) {
  const here = PAGES[app.page]?.under || app.page;
  return html`<nav class="tabsbar" aria-label="Pages">${TABS.map((name) => html`<a class="${name === here ? "on" : ""}" href="${PAGES[name].href}">${icon(PAGES[name].icon, "lg")}<span>${PAGES[name].label}</span>${name === "review" && app.shell.review_count > 0 && html`<span class="dot">${app.shell.review_count}</span>`}</a>`)}</nav>`;
}

function place(app) {
  const project = app.shell.project;
  const trail = app.problem ? [PAGES[app.page].label] : app.view.crumbs(app);
  return html`<div class="row g3 place"><button type="button" class="switcher" title="Switch project" ${attrs("menu", "projects")}><span class="mark">${(project?.name || "–").slice(0, 1)}</span><span class="ell">${project?.name || "No project"}</span>${icon("chevrons-up-down", "sm muted")}</button>${app.ui.menu === "projects" && projectMenu(app)}<span class="vline"></span><div class="crumbs">${trail.map((crumb, index) => (index === trail.length - 1 ? html`<b class="ell">${crumb}</b>` : html`<span>${crumb}</span>${icon("chevron-right", "xs")}`))}</div></div>`;
}

const projectMenu = (app) => html`<div class="menu pop projects">${app.shell.projects.map((project) => html`<button type="button" class="${project.id === app.shell.project?.id ? "on" : ""}" ${attrs("project", project.id)}>${icon(project.id === app.shell.project?.id ? "check" : "layers", "sm")}${project.name}</button>`)}</div>`;

const searchBox = () => html`<button type="button" class="cmdk" ${attrs("palette")} title="Search or run a command">${icon("search", "sm")}<span class="grow ell">Search or run a command</span>${kbd("⌘K")}</button>`;

export function jobTray(app, jobs) {
  const idle = !jobs.running && !jobs.queued;
  return html`<div class="pophost"><button type="button" class="jobtray" ${attrs("menu", "jobs")} aria-expanded="${app.ui.menu === "jobs"}" title="Jobs">${idle
    ? html`<span class="row g1">${shape("none")}<span class="secondary">No jobs</span></span>`
    : html`<span class="row g1 st-generating">${shape("generating")}<b class="strong tnum">${jobs.running}</b><span class="secondary wide">running</span></span><span class="row g1">${shape("pending")}<b class="strong tnum">${jobs.queued}</b><span class="secondary wide">queued</span></span>${bar(jobs.progress, "", "generating")}<span class="secondary tnum wide">${jobs.left_s !== null ? `${clock(jobs.left_s)} left` : jobs.held && jobs.held === jobs.queued + jobs.running ? "all on hold" : ""}</span>`}<span class="row busyw wide" title="${jobs.workers.map((w) => `${w.name}: ${w.word}`).join(", ") || "No GPU worker is known"}">${jobs.workers.slice(0, 12).map((w) => html`<i class="wdot st-${w.status}"></i>`)}</span>${icon("chevron-down", "xs")}</button>${app.ui.menu === "jobs" && jobList(jobs)}</div>`;
}

const jobList = (jobs) => html`<div class="pop jobs panel"><header><h2>Jobs</h2>${jobs.running > 0 && badge("generating", `${jobs.running} running`)}<span class="grow"></span><a class="btn ghost sm" href="/queue">Open queue ${kbd("G", "Q")}</a></header>${jobs.items.length === 0 && html`<p class="pad muted">Nothing runs and nothing waits. Submit scenes in the matrix.</p>`}${jobs.items.map((job) => html`<div class="row job st-${job.status}" data-key="job-${job.id}">${shape(job.status)}<span class="grow ell"><b class="med">${job.title}</b> <span class="muted">${job.detail}</span></span>${job.status === "generating" && bar(job.progress, "w90")}<span class="mono xs">${job.status === "generating" ? percent(job.progress) : clock(job.left_s)}</span>${iconButton("x", "Cancel this take", "cancelTask", job.id, { size: "sm", disabled: !job.can_cancel })}</div>`)}</div>`;

const TOLD = [["all", "Everybody's"], ["mine", "Mine"], ["none", "None"]];

function bell(app) {
  const inbox = app.shell.inbox, open = app.ui.menu === "inbox";
  const label = inbox.unread ? `Notifications, ${inbox.unread} unread` : "Notifications";
  return html`<div class="pophost"><button type="button" class="iconbtn bell" ${attrs("menu", "inbox")} aria-expanded="${open}" aria-label="${label}" title="${label}  ⇧N">${icon("bell")}${inbox.unread > 0 && html`<span class="dot">${inbox.unread > 99 ? "99+" : inbox.unread}</span>`}</button>${open && inboxPanel(app, inbox)}</div>`;
}

function inboxPanel(app, inbox) {
  const settings = app.ui.told;
  const head = html`<header><h2>Notifications</h2><span class="grow"></span>${inbox.unread > 0 && !settings && button("Mark all read", { act: "readAll", cls: "ghost sm" })}${iconButton(settings ? "bell" : "settings", settings ? "Back to the notifications" : "What you are told", "toldMenu")}</header>`;
  if (settings) return html`<div class="pop inbox panel" role="dialog" aria-label="What you are told">${head}<div class="told">${inbox.told.map((t) => html`<div class="row" data-key="told-${t.kind}"><span class="grow">${t.label}</span><span class="segm" role="group" aria-label="${t.label}">${TOLD.map(([key, word]) => html`<button type="button" class="${key === t.choice ? "on" : ""}" aria-pressed="${String(key === t.choice)}" ${attrs("tell", [t.kind, key])}>${word}</button>`)}</span></div>`)}</div></div>`;
  return html`<div class="pop inbox panel" role="dialog" aria-label="Notifications">${head}${inbox.items.length === 0 && html`<p class="pad muted">Nothing yet. Failures, budgets and triggers are told here.</p>`}<div class="notes">${inbox.items.map((n) => html`<button type="button" class="note1 ${n.unread ? "new" : ""} st-${n.status}" data-key="note-${n.id}" ${attrs("openNote", n.id)}>${shape(n.status)}<span class="grow"><b class="med ell2">${n.title}</b>${n.body && html`<span class="xs secondary ell2">${n.body}</span>`}<span class="xs muted">${n.project && `${n.project} · `}${ago(n.at, app.now())}</span></span>${n.unread && html`<span class="pip" aria-label="unread"></span>`}</button>`)}</div></div>`;
}

// What came into the inbox since the shell was read last is said at once.
export function tellNew(app, known) {
  for (const n of app.shell.inbox.items.filter((x) => x.unread && known.get(x.id) !== x.count).slice(0, 3)) {
    app.ui.toasts = app.ui.toasts.filter((t) => t.action?.arg !== n.id);
    app.toast({ text: n.title, more: n.body, status: n.status, seconds: 10, action: n.href ? { act: "openNote", arg: n.id, label: "Show" } : null });
  }
}

function me(app) {
  const person = app.shell.person;
  return html`<div class="pophost"><button type="button" class="row g1 me" ${attrs("menu", "me")} title="${person.name}, ${person.role}">${avatar(person.initials)}${icon("chevron-down", "xs muted")}</button>${["me", "look"].includes(app.ui.menu) && html`<div class="menu pop who"><div class="row whois">${avatar(person.initials)}<div><b class="med">${person.name}</b><div class="xs muted">${person.role}</div></div></div><hr>${lookRows()}<hr><form method="post" action="/sign-out"><button type="submit">${icon("lock", "sm")}Sign out</button></form></div>`}</div>`;
}

const look = (name) => document.documentElement.dataset[name] || "";

const lookRows = () => html`<div class="lookrow"><span>Scheme</span>${segmented([["dark", "Dark"], ["light", "Light"]], look("scheme"), "scheme")}</div><div class="lookrow"><span>Palette</span>${segmented([["obsidian", "Obsidian"], ["neon", "Neon"]], look("palette"), "palette_")}</div><button type="button" class="lookrow" ${attrs("contrast")} role="switch" aria-checked="${look("contrast") === "high"}"><span>High contrast</span><span class="toggle ${look("contrast") === "high" ? "on" : ""}"></span></button>`;

function statusbar(app) {
  const now = new Date(app.now()).toISOString();
  return html`<footer class="statusbar">${app.shell.status_items.map((item) => html`<span>${item.status && shape(item.status)}${item.icon && icon(item.icon, "xs")}${item.label}${item.value && html`<b class="tnum med">${item.value}</b>`}${item.share !== undefined && bar(item.share, "w56 quiet")}</span>`)}<span class="fill"></span><button type="button" ${attrs("help")}>${kbd("?")} Shortcuts</button><span class="tnum">${hhmm(now)} · ${day(now)}</span></footer>`;
}

const offlineStrip = (app) => html`<div class="strip-offline">${callout("warning", html`Connection lost. Figures stand at <b class="mono med">${hhmm(new Date(app.now() - (performance.now() - app.heard)).toISOString())}</b>.`, button("Retry now", { act: "reload", cls: "sm" }))}</div>`;

function overlays(app) {
  return html`<div class="toasts" aria-live="polite">${app.ui.toasts.map((t) => toast({ ...t, left: t.action ? Math.max(0, Math.ceil((t.until - performance.now()) / 1000)) : undefined }))}</div>${app.ui.palette && palette(app)}${app.ui.help && help(app)}${app.ui.dialog && dialog(app)}`;
}

function dialog(app) {
  const d = app.ui.dialog;
  return html`<div class="scrim" data-key="dialog"><div class="dialog ask" role="dialog" aria-modal="true" aria-label="${d.title}"><div class="row top">${shape(d.status || "warning", "big")}<div class="grow"><h3>${d.title}</h3><p class="secondary">${d.text}</p></div></div>${d.field && html`<textarea class="input area" id="dialog-field" rows="3" placeholder="${d.field}" data-input="dialogField"></textarea>`}<div class="row end"><span class="xs muted wide">${kbd("Esc")} changes nothing</span><span class="grow"></span>${button("Keep", { act: "closeDialog" })}${button(d.label, { act: "confirmDialog", cls: d.cls || "primary", keys: d.keys || [] })}</div></div></div>`;
}

// ---------------------------------------------------------------- command palette
function commands(app) {
  const places = RAIL.map((name) => ({ group: "Pages", label: PAGES[name].label, href: PAGES[name].href, icon: PAGES[name].icon, keys: ["G", PAGES[name].key] }));
  const own = (app.problem ? [] : app.view.commands?.(app) || []).map((c) => ({ group: "Actions", ...c }));
  const words = app.ui.palette.query.toLowerCase().split(/\s+/).filter(Boolean);
  return [...own, ...places, ...app.shell.commands].filter((c) => words.every((word) => `${c.label} ${c.group}`.toLowerCase().includes(word))).slice(0, 12);
}

function palette(app) {
  const list = commands(app);
  const at = Math.min(app.ui.palette.at, list.length - 1);
  return html`<div class="scrim clear" data-key="palette" ${attrs("closePalette")}><div class="dialog palette" role="dialog" aria-modal="true" aria-label="Command palette" ${attrs("nothing")}><label class="row find">${icon("search", "sm")}<input id="palette-field" placeholder="Search or run a command" autocomplete="off" data-input="find">${kbd("Esc")}</label><div class="menu flat">${list.length === 0 && html`<p class="muted pad">Nothing is called “${app.ui.palette.query}”.</p>`}${list.map((c, i) => html`${(i === 0 || list[i - 1].group !== c.group) && html`<div class="caps">${c.group}</div>`}<button type="button" class="${i === at ? "on" : ""}" ${attrs("pick", i)}>${c.status ? shape(c.status) : icon(c.icon || "chevron-right", "sm")}<span class="grow ell">${c.label}</span>${c.keys ? kbd(...c.keys) : i === at && kbd("⏎")}</button>`)}</div></div></div>`;
}

function pick(app, index) {
  const chosen = commands(app)[index];
  app.ui.palette = null;
  if (!chosen) return;
  if (chosen.href) app.open(chosen.href); else app.run(chosen.act, chosen.arg);
}

const SHARED_KEYS = [["⌘K", "Search or run a command"], ["G then P C M R Q D B T W F O", "Go to a page"], ["⇧N", "Notifications"], ["?", "This list"], ["Esc", "Close what is open"]];

function help(app) {
  const own = app.view.help || [];
  const rows = (list) => list.map(([key, what]) => html`<dt>${key.split(" ").map((k) => (k === "then" ? html`<span class="muted xs">then</span>` : kbd(k)))}</dt><dd>${what}</dd>`);
  return html`<div class="scrim" data-key="help" ${attrs("help")}><div class="dialog keys" role="dialog" aria-modal="true" aria-label="Keyboard shortcuts" ${attrs("nothing")}><div class="row"><h3 class="grow">Keyboard shortcuts</h3>${iconButton("x", "Close", "help")}</div><div class="keycols">${own.length > 0 && html`<div><h4 class="caps">${PAGES[app.page].label}</h4><dl>${rows(own)}</dl></div>`}<div><h4 class="caps">Everywhere</h4><dl>${rows(SHARED_KEYS)}</dl></div></div></div></div>`;
}

// ---------------------------------------------------------------- actions and keys
function setLook(name, value) {
  const root = document.documentElement;
  if (value) root.dataset[name] = value; else delete root.dataset[name];
  const parts = [look("scheme"), look("palette"), look("contrast") || "normal"];
  document.cookie = `x121_look=${parts.join(".")}; path=/; max-age=31536000; samesite=lax`;
}

export const shellActions = {
  nothing: () => {},
  menu: (app, name) => { app.ui.menu = app.ui.menu === name ? null : name; app.ui.told = false; },
  toldMenu: (app) => { app.ui.told = !app.ui.told; },
  tell: (app, [kind, choice]) => app.act("prefer_notification", { kind, choice }),
  readAll: (app) => app.act("read_notifications", { ids: null }),
  openNote: (app, id) => {
    const n = app.shell.inbox.items.find((x) => x.id === id);
    if (!n) return;
    if (n.unread) app.act("read_notifications", { ids: [id] });
    if (n.href) { app.ui.menu = null; app.ui.toasts = app.ui.toasts.filter((t) => t.action?.arg !== id); app.open(n.href); }
  },
  scheme: (app, value) => setLook("scheme", value),
  palette_: (app, value) => setLook("palette", value),
  contrast: () => setLook("contrast", look("contrast") === "high" ? "" : "high"),
  project: (app, id) => { app.ui.menu = null; document.cookie = `x121_project=${encodeURIComponent(id)}; path=/; max-age=31536000; samesite=lax`; app.send("project", { id }); },
  cancelTask: (app, id) => app.act("cancel", { task_ids: [id] }),
  open: (app, href) => app.open(href),
  reload: () => location.reload(),
  help: (app) => { app.ui.help = !app.ui.help; },
  closeToast: (app, id) => app.dropToast(id),
  palette: (app) => { app.ui.palette = { query: "", at: 0 }; app.drawNow(); document.getElementById("palette-field").focus(); },
  closePalette: (app) => { app.ui.palette = null; },
  find: (app, text) => { app.ui.palette = { query: text, at: 0 }; },
  pick,
  undo: (app, id) => { app.act("undo", { decision_id: id }); if (app.local.decided?.id === id) app.set({ decided: null }); app.ui.toasts = app.ui.toasts.filter((t) => t.action?.arg !== id); },
  dialogField: (app, text) => { app.ui.dialog.value = text; },
  closeDialog: (app) => { app.ui.dialog = null; },
  confirmDialog: (app) => { const d = app.ui.dialog; app.ui.dialog = null; d.done(d.value || ""); },
};

export function ask(app, dialogState) {
  app.ui.dialog = dialogState;
  app.drawNow();
  document.getElementById("dialog-field")?.focus();
}

let awaitingPage = 0;

export function shellKeys(app) {
  const keys = {
    "Meta+k": () => shellActions.palette(app),
    "?": () => shellActions.help(app),
    "Shift+n": () => shellActions.menu(app, "inbox"),
    Escape: () => { if (app.ui.palette || app.ui.help || app.ui.dialog || app.ui.menu) Object.assign(app.ui, { palette: null, help: false, dialog: null, menu: null }); else app.view.keys?.Escape?.(app); },
    "Meta+z": () => { const t = [...app.ui.toasts].reverse().find((x) => x.action?.key === "⌘Z"); if (t) app.run(t.action.act, t.action.arg); },
  };
  if (app.ui.palette) {
    keys.ArrowDown = () => { app.ui.palette.at += 1; app.ui.palette.at %= Math.max(1, commands(app).length); };
    keys.ArrowUp = () => { const n = Math.max(1, commands(app).length); app.ui.palette.at = (app.ui.palette.at - 1 + n) % n; };
    keys.Enter = () => pick(app, app.ui.palette.at);
    return keys;
  }
  if (app.ui.dialog) keys["Meta+Enter"] = () => shellActions.confirmDialog(app);
  if (performance.now() < awaitingPage) {
    for (const name of RAIL) keys[PAGES[name].key.toLowerCase()] = () => { awaitingPage = 0; app.open(PAGES[name].href); };
  } else if (!app.view.keys?.g) keys.g = () => { awaitingPage = performance.now() + 1200; };
  return keys;
}
