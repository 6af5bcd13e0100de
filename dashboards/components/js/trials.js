// Dry runs of a workflow: tried with a drawn picture on one worker, outside of any project.
import { html, shape, button, iconButton } from "./kit.js";

const seconds = (s) => (s >= 60 ? `${Math.round(s / 60)} min` : `${s.toFixed(1)} s`);

export const tryButton = (app) => app.state.may_manage && button(app.local.trying ? "Trying…" : "Try", { act: "tryIt", cls: "sm", disabled: Boolean(app.local.trying), title: "Run it once with a drawn picture on a worker that has all it needs" });

export const trialRows = (app, d) => (d.trials.length ? d.trials.map((t) => html`<div class="srow" data-key="trial-${t.id}">${shape(t.status)}<div class="grow"><div class="row between"><span class="ell med">${t.worker}</span><span class="mono xs">${t.seconds === null ? t.word : seconds(t.seconds)}</span></div><div class="xs muted ell" title="${t.text}">${t.text || t.word}</div></div>${t.may_cancel && iconButton("x", "Stop this dry run", "stopTry", t.id)}</div>`) : html`<p class="xs muted">It was never tried.</p>`);

export const trialActions = {
  tryIt: async (app) => {
    const d = app.state.chosen;
    if (app.local.trying) return;
    app.set({ trying: true });
    const done = await app.ask("try_workflow", { workflow: d.name, version: d.number });
    app.set({ trying: false });
    app.toast(done.problem ? { text: done.problem.text, more: done.problem.hint, status: "failed" } : { text: done.text, status: "generating" });
  },
  stopTry: (app, id) => app.act("cancel_try", { trial_id: id }),
};
