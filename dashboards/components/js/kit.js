// Shared pieces: small functions from data to markup. Names as in the component catalogue.
import { html, raw } from "./html.js";

export const WORDS = { approved: "Approved", review: "In review", generating: "Generating", pending: "Queued", rejected: "Rejected",
  failed: "Failed", blocked: "Blocked", none: "Not started", warning: "Warning", info: "Note" };
export const ORDER = ["approved", "review", "generating", "pending", "rejected", "failed", "blocked", "none"];

// ---------------------------------------------------------------- words and numbers
const two = (n) => String(n).padStart(2, "0");

export function clock(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const s = Math.max(0, Math.round(seconds));
  return s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

export function ago(iso, now) {
  const s = Math.max(0, (now - Date.parse(iso)) / 1000);
  if (s < 45) return "now";
  return span(Math.max(s, 91));
}

export function span(s) {
  if (s < 90) return `${Math.round(s)} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  if (s < 129600) return `${Math.floor(s / 3600)} h${s < 18000 && Math.round(s / 60) % 60 ? ` ${Math.round(s / 60) % 60} min` : ""}`;
  return `${Math.round(s / 86400)} days`;
}

export function bytes(n, digits = 1) {
  if (n === null || n === undefined) return "–";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let i = 0;
  while (n >= 1000 && i < units.length - 1) { n /= 1000; i += 1; }
  return `${i ? n.toFixed(n >= 100 ? 0 : digits) : n} ${units[i]}`;
}

export const ofBytes = (part, whole) => { const [n, unit] = bytes(whole, 0).split(" "); const scale = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 }[unit]; return `${((part || 0) / scale).toFixed(1)}/${n} ${unit}`; };
export const percent = (share) => `${Math.round((share || 0) * 100)} %`;
export const hhmm = (iso) => (iso ? new Date(iso).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" }) : "–");
export const day = (iso) => (iso ? new Date(iso).toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short" }) : "–");
export const gpuHours = (s) => (s >= 3600 ? `${(s / 3600).toFixed(1)} GPU h` : `${Math.max(1, Math.round(s / 60))} GPU min`);
export const many = (n, one, more) => `${n} ${n === 1 ? one : more || `${one}s`}`;
const pct = (share) => `${(Math.min(1, Math.max(0, share || 0)) * 100).toFixed(2)}%`;

export function timecode(frame, fps) {
  const rate = Math.round(fps);
  const s = Math.floor(frame / rate);
  return `${two(Math.floor(s / 3600))}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}:${two(frame % rate)}`;
}

// ---------------------------------------------------------------- pictures
export const icon = (name, cls = "") => html`<svg class="i ${cls}" aria-hidden="true"><use href="#i-${name}"/></svg>`;
export const shape = (status, cls = "") => html`<svg class="s c st-${status} ${cls}" viewBox="0 0 12 12" aria-hidden="true"><use href="#s-${status}"/></svg>`;
export const kbd = (...keys) => keys.map((key) => html`<span class="kbd">${key}</span>`);

export function thumb(src, { width, height, time, cls = "", position = "50% 30%" } = {}) {
  const size = width ? `width:${width}px;height:${height}px` : "";
  return html`<span class="thumb ${cls} ${src ? "" : "hatch"}" style="${size}">${src && html`<img src="${src}" alt="" loading="lazy" style="object-position:${position}">`}${time && html`<span class="tc">${time}</span>`}</span>`;
}

export function filmstrip(src, frames, cls = "") {
  if (!src) return html`<span class="film ghosts ${cls}">${[0, 1, 2].map(() => html`<i class="ghost"></i>`)}</span>`;
  return html`<span class="film ${cls}" data-scrub data-frames="${frames}"><img src="${src}" alt="" loading="lazy"></span>`;
}

export const avatar = (initials, cls = "") => html`<span class="avatar ${cls}">${initials}</span>`;

// ---------------------------------------------------------------- status and meters
export const badge = (status, text, { plain = false } = {}) => html`<span class="badge ${plain ? "plain" : ""} st-${status}">${shape(status)}${text || WORDS[status]}</span>`;
export const tag = (text, name) => html`<span class="badge tag">${name && icon(name, "xs")}${text}</span>`;
export const bar = (share, cls = "", status = "") => html`<span class="bar ${cls} ${status && `st-${status}`}" role="progressbar" aria-valuenow="${Math.round((share || 0) * 100)}"><i style="width:${pct(share)}"></i></span>`;

export function stack(counts, cls = "") {
  const total = ORDER.reduce((sum, key) => sum + (counts[key] || 0), 0) || 1;
  const label = ORDER.filter((key) => counts[key]).map((key) => `${counts[key]} ${WORDS[key].toLowerCase()}`).join(", ");
  return html`<span class="stack ${cls}" role="img" aria-label="${label}" title="${label}">${ORDER.filter((key) => counts[key]).map((key) => html`<i class="st-${key}" data-key="${key}" style="flex:${(counts[key] / total).toFixed(4)} 0 0"></i>`)}</span>`;
}

export const scorebar = (fill, mark, status, cls = "") => html`<span class="scorebar ${cls} st-${status}"><i style="width:${pct(fill)}"></i>${mark !== null && mark !== undefined && html`<b style="left:${pct(mark)}"></b>`}</span>`;

export function line(values, width, height, { top, low = 0, area = true, cls = "" } = {}) {
  if (!values || values.length < 2) return html`<svg class="spark" width="${width}" height="${height}"><path class="empty" d="M0 ${height - 1}H${width}"/></svg>`;
  const high = top ?? Math.max(...values) * 1.08;
  const points = values.map((v, i) => `${((i * width) / (values.length - 1)).toFixed(1)} ${(height - ((v - low) / (high - low || 1)) * height).toFixed(1)}`).join("L");
  return html`<svg class="spark ${cls}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none">${area && html`<path class="a" d="M${points}L${width} ${height}L0 ${height}Z"/>`}<path class="l" d="M${points}"/></svg>`;
}

// ---------------------------------------------------------------- controls
export function button(label, { act, arg, icon: name, keys = [], cls = "", disabled = false, title = "", href } = {}) {
  const inside = html`${name && icon(name, "sm")}${label}${keys.length > 0 && kbd(...keys)}`;
  if (href) return html`<a class="btn ${cls}" href="${href}" title="${title}">${inside}</a>`;
  return html`<button type="button" class="btn ${cls}" ${attrs(act, arg)} title="${title}" ${raw(disabled ? "disabled" : "")}>${inside}</button>`;
}

export const iconButton = (name, title, act, arg, { cls = "", size = "", disabled = false } = {}) => html`<button type="button" class="iconbtn ${cls}" ${attrs(act, arg)} title="${title}" aria-label="${title}" ${raw(disabled ? "disabled" : "")}>${icon(name, size)}</button>`;
export const attrs = (act, arg) => (act ? html`data-act="${act}" data-arg="${JSON.stringify(arg ?? null)}"` : "");
export const segmented = (choices, chosen, act) => html`<span class="segm" role="group">${choices.map(([key, label]) => html`<button type="button" class="${key === chosen ? "on" : ""}" aria-pressed="${key === chosen}" data-key="${key}" ${attrs(act, key)}>${label}</button>`)}</span>`;
export const chip = (label, act, arg, { on = false, dash = false } = {}) => html`<button type="button" class="chip ${on ? "on" : ""} ${dash ? "dash" : ""}" aria-pressed="${on}" ${attrs(act, arg)}>${label}</button>`;
export const check = (state) => html`<span class="check ${state ? "on" : ""}">${state === true && icon("check")}${state === "mixed" && icon("minus")}</span>`;

// ---------------------------------------------------------------- blocks
export const panel = (area, head, body, cls = "") => html`<section class="panel a-${area} ${cls}"><header>${head}</header>${body}</section>`;
export const grow = raw('<span class="grow"></span>');
export const callout = (status, text, action) => html`<div class="callout st-${status}" role="status">${shape(status)}<span class="grow">${text}</span>${action}</div>`;

export function emptyState({ title, text, actions, command, art = true }) {
  const picture = html`<svg class="emptyart" width="132" height="76" viewBox="0 0 132 76"><g class="frames"><rect x="4" y="14" width="38" height="50" rx="4"/><rect class="mid" x="47" y="8" width="38" height="60" rx="4"/><rect x="90" y="14" width="38" height="50" rx="4"/></g><path class="plus" d="M66 29v18M57 38h18"/></svg>`;
  return html`<div class="empty">${art && picture}<h3>${title}</h3><p>${text}</p>${actions && html`<div class="row">${actions}</div>`}${command && html`<code class="xs muted mono">${command}</code>`}</div>`;
}

export function problem({ title, text, safe, hint, code, actions }) {
  return html`<div class="problem st-failed"><div class="row top">${shape("failed", "big")}<div class="grow"><b class="sub">${title}</b><div class="secondary">${text}</div></div><span class="mono xs muted">${code}</span></div>
<dl>${safe && html`<dt>${shape("approved")}Safe</dt><dd>${safe}</dd>`}${hint && html`<dt>${shape("info")}You can</dt><dd>${hint}</dd>`}</dl>${actions && html`<div class="row">${actions}</div>`}</div>`;
}

export function toast({ id, status, text, more, action, left }) {
  return html`<div class="toast" data-key="toast-${id}" role="status">${shape(status || "approved", "drop")}<div class="grow"><b class="med">${text}</b>${more && html`<div class="xs muted">${more}</div>`}</div>${action && html`<button type="button" class="btn sm" ${attrs(action.act, action.arg)}>${action.label}${left !== undefined && html`<span class="mono tnum">${left}</span>`}${action.key && kbd(action.key)}</button>`}<button type="button" class="iconbtn" title="Close" ${attrs("closeToast", id)}>${icon("x", "sm")}</button></div>`;
}

export { html, raw };
