"""Every command of `x121`, gathered."""

from __future__ import annotations

import typer

from x121lib.cli import (
    agent,
    api_keys,
    budgets,
    catalogue,
    cells,
    checks,
    database,
    debug,
    demo,
    downloads,
    drift,
    estimates,
    models,
    notifications,
    power,
    produce,
    quality,
    queue,
    retakes,
    rights,
    schedules,
    secrets,
    serve,
    shares,
    simulate,
    slots,
    tiers,
    trials,
    triggers,
    upkeep,
    workers,
    workflow_files,
)

app = typer.Typer(
    name="x121",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="X121 makes every character × scene type × image variant on ComfyUI, checks, reviews and delivers it.",
)
app.command("up")(serve.up)
app.command("demo")(demo.demo)
app.command("web")(serve.web)
app.command("agent")(agent.agent)
app.command("consumer")(serve.consumer)
app.command("engine", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(serve.engine)
app.add_typer(database.app, name="db")
app.add_typer(catalogue.project_app, name="project")
app.add_typer(catalogue.scene_type_app, name="scene-type")
app.add_typer(catalogue.variant_kind_app, name="variant-kind")
checks.add_commands(catalogue.workflow_app)
slots.add_commands(catalogue.workflow_app)
trials.add_commands(catalogue.workflow_app)
workflow_files.add_commands(catalogue.workflow_app)
app.add_typer(catalogue.workflow_app, name="workflow")
app.add_typer(rights.person_app, name="person")
app.add_typer(rights.release_app, name="release")
app.add_typer(api_keys.api_key_app, name="api-key")
app.add_typer(produce.variant_app, name="variant")
downloads.add_commands(models.model_app)
app.add_typer(models.model_app, name="model")
app.add_typer(secrets.secret_app, name="secret")
power.add_commands(workers.worker_app)
app.add_typer(workers.worker_app, name="worker")
app.add_typer(budgets.budget_app, name="budget")
app.add_typer(shares.share_app, name="share")
app.add_typer(tiers.tier_app, name="tier")
app.add_typer(queue.queue_app, name="queue")
app.add_typer(quality.qa_app, name="qa")
app.add_typer(schedules.schedule_app, name="schedule")
app.add_typer(debug.task_app, name="task")
app.add_typer(notifications.notifications_app, name="notifications")
app.add_typer(notifications.webhook_app, name="webhook")
app.add_typer(triggers.trigger_app, name="trigger")
app.command("import")(produce.import_folder)
app.command("matrix")(produce.matrix)
app.command("estimate")(estimates.estimate)
app.command("submit")(produce.submit)
app.command("redo")(cells.redo)
app.command("cancel")(cells.cancel)
app.command("check")(checks.check)
app.command("simulate")(simulate.simulate)
app.command("watch")(produce.watch)
app.command("review")(produce.review)
app.command("drift")(drift.drift)
app.command("retake")(retakes.retake)
app.command("retakes")(retakes.retakes)
app.add_typer(retakes.retake_policy_app, name="retake-policy")
app.command("deliver")(produce.deliver)
app.command("export")(upkeep.export)
app.command("report")(upkeep.report)
app.command("doctor")(upkeep.doctor)
app.command("uninstall")(upkeep.uninstall)
