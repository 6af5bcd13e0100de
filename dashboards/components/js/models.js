// Models: what lies in the library, where it is used, and what may be done with it.
import { html, raw, icon, shape, badge, tag, bar, panel, grow, button, segmented, emptyState, callout, attrs, ago, bytes, percent, clock, many, kbd } from "./kit.js";
import { openForm, formBox, formActions, withForm } from "./forms.js";

const STATUS = { running: "generating", done: "approved", stopped: "none", failed: "failed" };
const FOLDERS = ["checkpoints", "loras", "vae", "diffusion_models", "text_encoders", "clip_vision", "controlnet", "embeddings", "upscale_models", "style_models"];
const may = (app) => app.state.may_manage;
const rows = (app) => app.state.rows;
const stars = (n) => html`<span class="stars" title="${n ? `${n} of 5 stars` : "Not rated"}">${[1, 2, 3, 4, 5].map((i) => html`<i class="${i <= (n || 0) ? "on" : ""}">★</i>`)}</span>`;

function go(app, changes) {
  const query = Object.fromEntries(Object.entries({ ...app.params, ...changes }).filter(([, value]) => value));
  const href = `/models?${new URLSearchParams(query)}`;
  history.replaceState({}, "", href);
  app.open(href, { push: false });
}

// ---------------------------------------------------------------- the list
function row(app, m) {
  const cur = m.id === app.state.chosen?.id;
  return html`<tr class="${cur ? "cur" : ""}" data-key="model-${m.id}" data-row="${m.id}" ${attrs("pickModel", m.id)}><td>${badge(m.status, m.word, { plain: true })}</td><td class="what mname"><b class="med ell" title="${m.name}">${m.name}</b><div class="xs muted ell" title="${m.root}">${m.path}</div></td><td>${m.kind}</td><td class="secondary">${m.base_model || "–"}</td><td class="mono right">${bytes(m.n_bytes)}</td><td class="mono right">${m.version}</td><td>${stars(m.rating)}</td><td class="tnum right ${m.used ? "" : "muted"}">${m.used ? many(m.used, "scene type") : "–"}</td><td class="tnum right ${app.state.n_workers && m.workers < app.state.n_workers ? "c st-warning" : "secondary"}">${app.state.n_workers ? `${m.workers} of ${app.state.n_workers}` : "–"}</td></tr>`;
}

function inventory(app) {
  const { found, total, kinds, states, folders } = app.state, list = rows(app), p = app.params;
  const filter = html`<label class="input find" data-key="find">${icon("search", "sm")}<input id="model-find" placeholder="Name, folder or SHA-256" value="${p.find || ""}" data-input="findModel">${kbd("F")}</label>${segmented([["", `All ${total}`], ...states.map((s) => [s.id, html`${shape(s.status)}${s.word} ${s.n}`])], p.state || "", "stateOf")}<select class="input kindsel" aria-label="Kind" data-change="kindOf"><option value="">Every kind</option>${kinds.map((k) => html`<option value="${k.id}" ${raw(p.kind === k.id ? "selected" : "")}>${k.name} (${k.n})</option>`)}</select>`;
  const table = html`<div class="scroll"><table class="table mtable"><thead><tr><th>State</th><th>Model</th><th>Kind</th><th>Base</th><th class="n">Size</th><th class="n">Version</th><th>Rating</th><th class="n">Used by</th><th class="n">Workers</th></tr></thead><tbody>${list.map((m) => row(app, m))}</tbody></table>${found > list.length && html`<p class="pad muted">The first ${list.length} of ${found}. Narrow the filter to see the others.</p>`}</div>`;
  const nothing = total
    ? emptyState({ title: "Nothing is like this", text: "No model fits the filter.", actions: button("Show all", { act: "allModels" }), art: false })
    : emptyState({ title: "No model is known yet", text: "A scan reads the folder once, remembers every file by its SHA-256, and finds what changed the next time.", actions: folders.length > 0 && button("Scan…", { act: "scan", icon: "search", cls: "primary", disabled: !may(app) }), command: "x121 model scan /data/ComfyUI/models" });
  return panel("inv", html`${total ? filter : html`<h2>Inventory</h2>`}${grow}<span class="xs muted tnum">${found === total ? "" : `${found} of ${total}`}</span>`, list.length ? table : nothing);
}

function workStrip(app) {
  const w = app.state.work;
  if (!w || app.local.hidden === `${w.what}${w.status}${w.text}`) return "";
  const what = w.what === "scan" ? "Scanning the folder" : "Reading every file again";
  if (w.status === "running") return html`<div class="wstrip">${callout("generating", html`<span class="row"><b class="med">${what}</b>${bar(w.total ? w.done / w.total : 0, "grow h6", "generating")}<span class="tnum">${w.total ? `${w.done} of ${w.total} files, ${percent(w.done / w.total)}` : "counting files"}</span><span class="muted">${w.by}</span></span>`, button("Stop", { act: "stopWork", cls: "sm", disabled: !may(app) }))}</div>`;
  return html`<div class="wstrip">${callout(STATUS[w.status], html`<b class="med">${w.what === "scan" ? "Scan" : "Check"}:</b> ${w.text}`, button("Close", { act: "hideWork", cls: "sm ghost" }))}</div>`;
}

// ---------------------------------------------------------------- downloads
const moved = (d) => html`<span class="row">${bar(d.share, "w90", d.status)}<span class="tnum">${d.n_bytes ? percent(d.share) : bytes(d.done_bytes)}</span></span>`;
const steer = (d, how, label, cls = "") => d.can.includes(how) && button(label, { act: "steer", arg: [d.id, how], cls: `sm ${cls}` });

function downloads(app) {
  const list = app.state.downloads;
  const lines = list.map((d) => html`<tr data-key="down-${d.id}"><td>${badge(d.status, d.word, { plain: true })}</td><td class="what mname"><b class="med ell" title="${d.path}">${d.path.split("/").pop()}</b><div class="xs ell ${d.trouble ? "c st-failed" : "muted"}" title="${d.trouble || d.address}">${d.trouble || d.address}</div></td><td class="secondary">${d.path.includes("/") ? d.path.slice(0, d.path.lastIndexOf("/")) : ""}</td><td>${d.status === "approved" ? html`<span class="muted">whole, in the library</span>` : moved(d)}</td><td class="mono right">${bytes(d.n_bytes)}</td><td class="mono right secondary">${d.rate ? `${bytes(d.rate)}/s` : "–"}</td><td class="mono right secondary">${d.left_s === null ? "–" : clock(d.left_s)}</td><td class="right"><span class="row g1 endrow">${steer(d, "pause", "Pause")}${steer(d, "resume", "Go on")}${steer(d, "cancel", "Cancel", "danger-quiet")}</span></td></tr>`);
  return panel("inv", html`<h2>Downloads</h2><span class="badge tag">${list.length}</span>${grow}<span class="xs muted wide">A broken transfer goes on from its last byte; a wrong hash is never kept</span>`, list.length ? html`<div class="scroll"><table class="table mtable"><thead><tr><th>State</th><th>File</th><th>Folder</th><th>Received</th><th class="n">Size</th><th class="n">Rate</th><th class="n">Left</th><th></th></tr></thead><tbody>${lines}</tbody></table></div>` : emptyState({ title: "Nothing is being downloaded", text: "Give an address; the site is asked for the file at once, and what the library holds already is not fetched again.", actions: button("Download…", { act: "download", icon: "plus", cls: "primary", disabled: !may(app) }), command: "x121 model download hf:OWNER/REPO/FILE", art: false }));
}

// ---------------------------------------------------------------- the one that is chosen
function side(app) {
  const d = app.state.chosen;
  if (!d) return html`<aside class="side"></aside>`;
  const edit = may(app), now = app.now();
  const section = (title, more, body) => html`<section><header class="row"><h2>${title}</h2>${grow}${more}</header>${body}</section>`;
  const uses = d.uses.map((u) => html`<div class="row use" data-key="use-${u.what}-${u.id}">${shape(u.current ? "approved" : "none")}<span class="ell grow"><b class="med">${u.name}</b></span><span class="xs muted">${u.what}${u.version !== null && html` <span class="mono">${u.what === "take" ? u.version : `v${u.version}`}</span>`}${u.weight !== null && html` · <span class="mono">${u.weight}</span>`}</span></div>`);
  return html`<aside class="side">
<section><header class="row"><h2 class="ell" title="${d.path}">${d.name}</h2></header><div class="mono xs muted brk">${d.path}</div><div class="row mt"><span class="row g1 rate" role="group" aria-label="Rating">${[1, 2, 3, 4, 5].map((i) => html`<button type="button" class="starb ${i <= (d.rating || 0) ? "on" : ""}" title="${i} of 5  ${i}" aria-label="${i} stars" ${attrs("rate", i)} ${raw(edit ? "" : "disabled")}>★</button>`)}</span>${grow}<span class="xs muted">verified ${d.verified_at ? ago(d.verified_at, now) : "never"}</span></div>${d.words.length > 0 && html`<div class="row wrap g1 mt">${d.words.slice(0, 12).map((word) => tag(word))}</div>`}${d.duplicates.length > 0 && html`<div class="mt">${callout("info", html`The same content lies at <span class="mono xs brk">${d.duplicates.join(", ")}</span>`)}</div>`}</section>
${section("Where is this used?", html`<span class="xs muted">${d.n_uses ? `${d.holding} now, ${d.n_uses} in all` : ""}</span>`, uses.length ? html`<div>${uses}</div>${d.n_uses > d.uses.length && html`<p class="xs muted">and ${d.n_uses - d.uses.length} more</p>`}` : html`<p class="xs muted">By nothing that X121 knows: no workflow, scene type, scene or take.</p>`)}
${d.n_stale > 0 && section("Made stale by the update", html`<span class="badge tag">${d.n_stale}</span>`, d.stale.map((s) => html`<a class="use2" href="/review?scene=${s.scene_id}" data-key="stale-${s.id}">${shape("warning")}<span><b class="med">${s.name}</b><span class="xs muted blk">${s.why}</span></span></a>`))}
${section("Workers", html`<span class="xs muted tnum">${d.have.length} of ${d.have.length + d.lack.length}</span>`, d.have.length + d.lack.length ? html`<div class="row wrap g1">${d.have.map((name) => html`<span class="badge st-approved">${shape("approved")}${name}</span>`)}${d.lack.map((name) => html`<span class="badge st-failed" title="Lacks it">${shape("none")}${name}</span>`)}</div>` : html`<p class="xs muted">No worker is known.</p>`)}
${section("Notes", edit && button("Add…", { act: "note", cls: "sm ghost", icon: "message-square", keys: ["N"] }), d.notes.length ? d.notes.map((n) => html`<div class="note" data-key="note-${n.id}">${shape(n.warning ? "warning" : "info")}<div class="grow">${n.with && html`<div class="xs muted">with <span class="mono">${n.with}</span></div>`}${n.text}<div class="xs muted">${n.by} · ${ago(n.at, now)}</div></div></div>`) : html`<p class="xs muted">Nothing was observed yet. A warning on a pair is said before work is queued.</p>`)}
${section("Versions", "", d.versions.map((v) => html`<div class="row use"><b class="mono">v${v.number}</b><span class="mono xs muted ell grow" title="${v.sha256}">${v.sha256.slice(0, 16)}…</span><span class="mono xs">${bytes(v.n_bytes)}</span><span class="xs muted">${ago(v.at, now)}</span></div>`))}
<section class="row">${button("Remove…", { act: "remove", cls: "danger-quiet sm", icon: "trash-2", disabled: !edit || d.holding > 0, title: d.holding ? "It is in use" : "" })}<span class="xs muted">${d.holding ? `In use by ${many(d.holding, "thing")}: it can not be removed.` : edit ? "Nothing needs it for future work." : "Creators and Admins manage models."}</span></section></aside>`;
}

// ---------------------------------------------------------------- what is done
function step(app, by) {
  const list = rows(app), at = list.findIndex((m) => m.id === app.state.chosen?.id);
  const next = list[Math.min(list.length - 1, Math.max(0, at + by))];
  if (next && next.id !== app.state.chosen?.id) go(app, { model: next.id });
  document.querySelector(`[data-row="${next?.id}"]`)?.scrollIntoView({ block: "nearest" });
}

let typing = 0;
const rate = (app, n) => { const d = app.state.chosen; if (d && may(app)) app.act("rate_model", { model_id: d.id, rating: n === d.rating ? null : n }); };

const actions = {
  ...formActions,
  pickModel: (app, id) => go(app, { model: id }),
  findModel: (app, text) => { clearTimeout(typing); typing = setTimeout(() => go(app, { find: text, model: "" }), 200); },
  stateOf: (app, state) => go(app, { state, model: "" }),
  kindOf: (app, kind) => go(app, { kind, model: "" }),
  allModels: (app) => go(app, { find: "", kind: "", state: "", model: "" }),
  scan: (app) => openForm(app, { name: "scan_models", title: "Scan a folder", label: "Scan", args: {}, text: "Files of known size and time are not read again. It can be stopped; then nothing of it is stored.", fields: [{ name: "folder", label: "Folder", value: app.state.folders[0], options: app.state.folders.map((f) => [f, f]), hint: "Another folder is scanned once with 'x121 model scan FOLDER'" }] }),
  verify: (app) => { if (may(app)) app.act("verify_models"); },
  repair: (app) => app.act("repair_models"),
  stopWork: (app) => app.act("stop_model_work"),
  hideWork: (app) => { const w = app.state.work; app.set({ hidden: `${w.what}${w.status}${w.text}` }); },
  tab: (app, tab) => go(app, { tab: tab === "downloads" ? tab : "" }),
  steer: (app, [id, how]) => app.act("steer_download", { download_id: id, how }),
  download: (app) => { if (may(app)) openForm(app, { name: "add_download", title: "Download a model", label: "Download", wait: "Asking the site…", args: {}, text: "The site is asked for the file at once. Nothing is queued where the library holds it already or the disk has no room.", fields: [{ name: "address", label: "Address", placeholder: "https://…, hf:OWNER/REPO/FILE or civitai:MODEL@VERSION" }, { name: "kind", label: "Kind", half: true, options: [["", "as the site says"], ...FOLDERS.map((f) => [f, f])] }, { name: "name", label: "File name", half: true, placeholder: "as the site says" }, { name: "sha256", label: "SHA-256", placeholder: "where the site promises none" }], done: () => go(app, { tab: "downloads" }) }); },
  rate,
  note: (app) => { const d = app.state.chosen; if (d && may(app)) openForm(app, { name: "note_model", title: `Note on ${d.name}`, label: "Save note", args: { model_id: d.id }, fields: [{ name: "text", label: "What was observed", rows: 3 }, { name: "other", label: "Together with", half: true, options: [["", "alone"], ...d.others.map((path) => [path, path])] }, { name: "warning", label: "Is it a warning?", half: true, value: "no", options: [["no", "No, an observation"], ["yes", "Yes, say it before work"]] }] }); },
  remove: (app) => {
    const d = app.state.chosen;
    openForm(app, { name: "remove_model", title: `Remove ${d.name}?`, label: "Remove", cls: "danger", args: { model_id: d.id }, text: `${d.n_uses ? `${many(d.n_uses, "older version or take", "older versions and takes")} name it and can not be made again without it.` : "Nothing names it."} Its ${many(d.versions.length, "version")}, rating and ${many(d.notes.length, "note")} go; receipts of takes stay.`, fields: [{ name: "file", label: "Its file", value: "keep", options: [["keep", "Keep the file on the disk (the next scan lists it again)"], ["delete", "Delete the file too"]] }] });
  },
};

export const models = {
  title: () => "Models",
  crumbs: (app) => (app.state.chosen ? ["Models", app.state.chosen.name] : ["Models"]),
  help: [["↑ ↓", "Choose a model"], ["F", "Filter"], ["S", "Scan a folder"], ["V", "Verify every file"], ["D", "Download a model"], ["1 2 3 4 5", "Rate"], ["N", "Write a note"]],
  commands: (app) => (may(app) ? [{ label: "Scan a folder", act: "scan", icon: "search", keys: ["S"] }, { label: "Verify every file", act: "verify", icon: "shield-check", keys: ["V"] }, { label: "Download a model", act: "download", icon: "plus", keys: ["D"] }, { label: "Repair missing models", act: "repair", icon: "wrench" }] : []),
  keys: withForm({
    ArrowUp: (app) => step(app, -1), ArrowDown: (app) => step(app, 1), f: () => document.getElementById("model-find")?.focus(),
    s: (app) => { if (may(app) && app.state.folders.length) actions.scan(app); }, v: (app) => actions.verify(app), d: (app) => actions.download(app), n: (app) => actions.note(app),
    ...Object.fromEntries([1, 2, 3, 4, 5].map((i) => [String(i), (app) => rate(app, i)])),
    Escape: () => document.activeElement?.blur?.(),
  }),
  actions,
  render: (app) => {
    const { total, bytes: size, states, folders, work } = app.state, busy = work?.status === "running", down = app.params.tab === "downloads";
    const lost = states.filter((s) => s.id !== "present" && s.n);
    return html`<div class="head"><h1>Models</h1><span class="facts"><b class="secondary med">${total}</b> ${total === 1 ? "file" : "files"} · ${bytes(size)}</span>${lost.map((s) => badge(s.status, `${s.n} ${s.word.toLowerCase()}`))}${segmented([["inventory", "Inventory"], ["downloads", `Downloads ${app.state.downloads.filter((d) => d.can.length).length || ""}`]], down ? "downloads" : "inventory", "tab")}${grow}${button("Download…", { act: "download", icon: "plus", keys: ["D"], disabled: !may(app) })}${lost.some((s) => s.id === "missing") && button("Repair", { act: "repair", icon: "wrench", disabled: !may(app), title: "Find missing models by their content" })}${button("Verify", { act: "verify", icon: "shield-check", keys: ["V"], disabled: !may(app) || busy || !total })}${button("Scan…", { act: "scan", icon: "search", cls: "primary", keys: ["S"], disabled: !may(app) || busy || !folders.length, title: folders.length ? "" : "No folder is known: x121 model scan FOLDER" })}</div>${workStrip(app)}${down ? html`<div class="mdgrid one">${downloads(app)}</div>` : html`<div class="mdgrid ${total ? "" : "one"}">${inventory(app)}${total > 0 && side(app)}</div>`}${formBox(app)}`;
  },
};
