// One form over a page: fields, a clear fault beside them, and one thing that it does.
import { html, raw, button, callout, kbd } from "./kit.js";

export function openForm(app, form) {
  const values = Object.fromEntries(form.fields.map((f) => [f.name, String(f.value ?? "")]));
  app.local.form = { ...form, values, fault: null, busy: false };
  app.drawNow();
  document.querySelector(".dialog.form input, .dialog.form select, .dialog.form textarea")?.focus();
}

function field(form, f) {
  const value = form.values[f.name];
  const rest = raw(form.busy ? "disabled" : "");
  const own = html`name="${f.name}" aria-label="${f.label}" data-input="formField" ${rest}`;
  const control = f.options
    ? html`<select class="input" ${own}>${f.options.map(([key, label]) => html`<option value="${key}" ${raw(key === value ? "selected" : "")}>${label}</option>`)}</select>`
    : f.rows ? html`<textarea class="input area" rows="${f.rows}" placeholder="${f.placeholder || ""}" ${own}>${value}</textarea>`
      : html`<input class="input" type="${f.type || "text"}" autocomplete="off" placeholder="${f.placeholder || ""}" value="${value}" ${own}>`;
  return html`<label class="fld ${f.half ? "half" : ""}" data-key="field-${f.name}"><span class="xs muted">${f.label}</span>${control}${f.hint && html`<span class="xs muted">${f.hint}</span>`}</label>`;
}

export function formBox(app) {
  const form = app.local.form;
  if (!form) return "";
  return html`<div class="scrim" data-key="form"><div class="dialog ask form" role="dialog" aria-modal="true" aria-label="${form.title}"><h3>${form.title}</h3>${form.text && html`<p class="secondary">${form.text}</p>`}<div class="flds">${form.fields.map((f) => field(form, f))}</div>${form.fault && callout("failed", html`<b class="med">${form.fault.text}</b> ${form.fault.hint}`)}<div class="row end"><span class="xs muted wide">${form.busy ? form.wait || "Working…" : html`${kbd("Esc")} changes nothing`}</span><span class="grow"></span>${button("Cancel", { act: "formClose" })}${button(form.label, { act: "formSend", cls: form.cls || "primary", keys: ["⌘⏎"], disabled: form.busy })}</div></div></div>`;
}

async function send(app) {
  const form = app.local.form;
  if (!form || form.busy) return;
  Object.assign(form, { busy: true, fault: null });
  const values = { ...form.args, ...form.values };
  const value = await app.ask(form.name, form.pack ? form.pack(values) : values);
  form.busy = false;
  if (value?.problem) { form.fault = value.problem; app.draw(); return; }
  if (app.local.form === form) app.local.form = null;
  if (value?.text && !form.quiet) app.toast({ text: value.text, status: "approved" });
  form.done?.(value);
  app.draw();
}

export const formActions = {
  formField: (app, value, event) => { if (app.local.form) app.local.form.values[event.target.name] = value; },
  formClose: (app) => { app.local.form = null; },
  formSend: (app) => { send(app); },
};

// Keys of a page that has forms: while one is open they are the form's.
export const withForm = (keys) => ({
  ...Object.fromEntries(Object.entries(keys).map(([key, act]) => [key, (app, event) => (app.local.form ? null : act(app, event))])),
  Escape: (app) => { if (app.local.form) app.local.form = null; else keys.Escape?.(app); },
  "Meta+Enter": (app) => { if (app.local.form) send(app); else keys["Meta+Enter"]?.(app); },
});
