// One page at a time: state from Python, markup from the page's render function, messages back.
import { html, patch } from "./html.js";
import { followDialog, keepTab } from "./focus.js";
import { shell, shellActions, shellKeys, tellNew, PAGES } from "./shell.js";
import { pulse } from "./pulse.js";
import { characters, character } from "./characters.js";
import { matrix } from "./matrix.js";
import { queue } from "./queue.js";
import { review } from "./review.js";
import { deliveries } from "./deliveries.js";
import { workers } from "./workers.js";
import { models } from "./models.js";
import { workflows } from "./workflows.js";
import { debugger_ } from "./debugger.js";
import { triggers } from "./triggers.js";
import { budgets } from "./budgets.js";
import { catalogue } from "./catalogue.js";
import { problem, button } from "./kit.js";

const VIEWS = { pulse, characters, character, matrix, queue, review, deliveries, workers, models, workflows, triggers, budgets, debugger: debugger_, catalogue };
const STALE_MS = 15000;

class App {
  constructor(first, root) {
    const { shell: frame, state, page, params, problem: fault } = first;
    Object.assign(this, { root, shell: frame, state, page, params, problem: fault, model: null, unsent: [] });
    this.local = {};
    this.ui = { menu: null, dialog: null, toasts: [], palette: null };
    this.clock = { server: Date.parse(first.now), at: performance.now() };
    this.heard = performance.now();
    this.pending = 0;
    this.asks = new Map();
    this.nextAsk = 1;
    this.wire();
    this.view.opened?.(this);
    this.draw();
  }

  get view() { return VIEWS[this.page] || VIEWS.pulse; }

  now() { return this.clock.server + performance.now() - this.clock.at; }

  get offline() { return performance.now() - this.heard > STALE_MS; }

  // ------------------------------------------------------------ drawing
  draw() {
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => { this.pending = 0; this.drawNow(); });
  }

  drawNow() {
    patch(this.root, shell(this, this.problem ? this.problemPage() : this.view.render(this)));
    followDialog();
    document.title = `${this.problem ? "Problem" : this.view.title(this)} · X121`;
    if (!this.problem) this.view.drawn?.(this);
  }

  problemPage() {
    return html`<div class="head"><h1>${PAGES[this.page]?.label || "Page"}</h1></div><div class="page"><section class="panel">${problem({ ...this.problem, actions: button("Try again", { act: "open", arg: location.pathname + location.search, cls: "primary" }) })}</section></div>`;
  }

  set(changes) { Object.assign(this.local, changes); this.draw(); }

  // ------------------------------------------------------------ talking to Python
  // The page stands before Python is connected: what it says until then is sent with the connection.
  send(type, body = {}) { if (this.model) this.model.send_msg({ type, ...body }); else this.unsent.push({ type, ...body }); }

  attach(model) {
    this.model = model;
    model.on("msg:custom", (event) => this.hear(event.data ?? event));
    for (const message of [{ type: "hello" }, ...this.unsent.splice(0)]) model.send_msg(message);
    document.documentElement.setAttribute("data-ready", this.page);
  }

  act(name, args = {}) { this.send("act", { name, args }); }

  ask(name, args = {}) {
    const id = this.nextAsk++;
    this.send("ask", { name, args, id });
    return new Promise((done) => this.asks.set(id, done));
  }

  hear(message) {
    this.heard = performance.now();
    const handler = this[`on_${message.type}`];
    if (handler) handler.call(this, message);
  }

  on_tick({ now }) { this.clock = { server: Date.parse(now), at: performance.now() }; this.draw(); }

  on_patch({ target, ops }) {
    const known = target === "shell" ? new Map(this.shell.inbox.items.map((n) => [n.id, n.count])) : null;
    for (const [path, value] of ops) {
      if (!path.length) { this[target] = value; continue; }
      let at = this[target];
      for (const step of path.slice(0, -1)) at = at[step];
      const last = path[path.length - 1];
      if (value === null && path.gone) delete at[last]; else at[last] = value;
    }
    if (known) tellNew(this, known);
    this.view.changed?.(this);
    this.draw();
  }

  on_page({ page, params, state, shell: frame, problem: fault }) {
    const fresh = page !== this.page;
    if (fresh) { this.view.closed?.(this); this.local = {}; }
    Object.assign(this, { page, params, state, problem: fault });
    if (frame) this.shell = frame;
    this.ui.menu = null;
    if (fresh) this.view.opened?.(this); else this.view.changed?.(this);
    this.drawNow();
    document.documentElement.setAttribute("data-ready", page);
  }

  on_toast({ toast }) { this.toast(toast); }

  on_answer({ id, value }) { this.asks.get(id)?.(value); this.asks.delete(id); }

  on_leave({ href }) { location.href = href; }

  // ------------------------------------------------------------ toasts and undo
  toast({ text, more = "", status = "approved", seconds = 6, action = null }) {
    const id = this.nextAsk++;
    const entry = { id, text, more, status, action, until: performance.now() + seconds * 1000 };
    this.ui.toasts = [...this.ui.toasts.slice(-3), entry];
    const step = () => {
      if (!this.ui.toasts.includes(entry)) return;
      if (performance.now() >= entry.until) this.ui.toasts = this.ui.toasts.filter((t) => t !== entry);
      else setTimeout(step, 250);
      this.draw();
    };
    step();
    return id;
  }

  dropToast(id) { this.ui.toasts = this.ui.toasts.filter((t) => t.id !== id); this.draw(); }

  // ------------------------------------------------------------ going places
  open(href, { push = true } = {}) {
    const url = new URL(href, location.href);
    if (push && url.href !== location.href) history.pushState({}, "", url);
    this.send("open", { path: url.pathname, query: Object.fromEntries(url.searchParams) });
  }

  wire() {
    this.root.addEventListener("click", (event) => this.click(event));
    this.root.addEventListener("input", (event) => this.field(event, "data-input"));
    this.root.addEventListener("change", (event) => this.field(event, "data-change"));
    this.root.addEventListener("pointermove", scrub);
    document.addEventListener("keydown", (event) => this.key(event));
    addEventListener("popstate", () => this.open(location.href, { push: false }));
    setInterval(() => this.draw(), 1000);
  }

  click(event) {
    const target = event.target.closest("[data-act], a[href]");
    if (!target) { if (this.ui.menu) { this.ui.menu = null; this.draw(); } return; }
    if (target.nodeName === "A" && !target.hasAttribute("data-act")) {
      const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
      const page = PAGE_OF(target.getAttribute("href"));
      if (plain && page && !target.hasAttribute("download")) { event.preventDefault(); this.ui.palette = null; this.open(target.href); }
      return;
    }
    if (target.hasAttribute("disabled")) return;
    this.run(target.dataset.act, JSON.parse(target.dataset.arg || "null"), event);
  }

  field(event, attribute) {
    const name = event.target.getAttribute(attribute);
    if (name) this.run(name, event.target.value, event);
  }

  run(name, arg, event) {
    const action = this.view.actions?.[name] || shellActions[name];
    if (action) action(this, arg, event);
    this.draw();
  }

  key(event) {
    if (event.key === "Tab") { keepTab(event); return; }
    const name = keyName(event);
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.nodeName);
    if (typing && !["Escape", "Meta+k", "Meta+Enter"].includes(name) && !(this.ui.palette && /^(Arrow|Enter)/.test(name))) return;
    if (event.target.matches?.("button, a[href]") && (name === "Enter" || name === " ") && event.target.matches(":focus-visible")) return;
    const overlay = this.ui.palette || this.ui.dialog || this.ui.help;
    const handler = shellKeys(this)[name] || (!overlay && this.view.keys?.[name]);
    if (!handler) return;
    event.preventDefault();
    handler(this, event);
    this.draw();
  }
}

const PAGE_OF = (href) => {
  const url = new URL(href, location.href);
  return url.origin === location.origin && Object.values(PAGES).some((page) => page.href === url.pathname);
};

export function keyName(event) {
  const parts = [];
  if (event.metaKey || event.ctrlKey) parts.push("Meta");
  if (event.altKey) parts.push("Alt");
  if (event.shiftKey && (event.key.length > 1 || /[a-z]/i.test(event.key))) parts.push("Shift");
  parts.push(event.key.length === 1 ? event.key.toLowerCase() : event.key);
  return parts.join("+");
}

// A filmstrip is one wide picture: the pointer chooses the frame that fills the box.
function scrub(event) {
  const strip = event.target.closest?.("[data-scrub]");
  if (!strip) return;
  const box = strip.getBoundingClientRect();
  const frames = Number(strip.dataset.frames) || 1;
  const at = Math.floor(Math.min(0.999, Math.max(0, (event.clientX - box.left) / box.width)) * frames);
  strip.style.setProperty("--frames", frames);
  strip.style.setProperty("--at", at);
}

window.x121mount = function mount(model, root) {
  window.x121 ||= new App(model, root);
  window.x121.attach(model);
};

// Bokeh's scripts wait in the page until its first picture stands: they are large, and they only connect it to Python.
async function connect() {
  for (const waiting of document.querySelectorAll('script[type="text/later"]')) {
    const script = document.createElement("script");
    for (const { name, value } of waiting.attributes) if (name !== "type") script.setAttribute(name, value);
    script.nonce = waiting.nonce;
    script.async = false;
    script.textContent = waiting.textContent;
    const loaded = waiting.src || waiting.getAttribute("src") ? new Promise((done) => { script.onload = done; script.onerror = done; }) : null;
    waiting.replaceWith(script);
    await loaded;
  }
}

const first = document.getElementById("first");
if (first) {
  window.x121 = new App(JSON.parse(first.textContent), document.getElementById("app"));
  const begin = () => requestAnimationFrame(() => setTimeout(connect));
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", begin); else begin();
}
