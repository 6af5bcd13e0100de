"""The page of the triggers: rules with their switches, the chain they are in, what they did, and webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from x121lib import model as m
from x121lib.events import webhooks
from x121lib.pipeline import trigger_log
from x121lib.pipeline.trigger_matching import living, try_rule_of
from x121lib.pipeline.trigger_rules import EVENTS, Action, Rule
from x121lib.studio.pages import retake_rules
from x121lib.studio.pages.desk import Desk, View
from x121lib.studio.pages.trigger_chain import Link, chain
from x121lib.studio.pages.words import iso
from x121lib.terms.automation import ActionKind
from x121lib.terms.roles import Permission
from x121lib.terms.vocabulary import RoleName

LOGGED = 30
"""Firings shown."""
STATUS = {"waiting": "pending", "running": "generating", "done": "approved", "failed": "failed", "refused": "blocked",
          "stopped": "warning", "skipped": "none"}  # fmt: skip


def triggers(desk: Desk, params: Mapping[str, str]) -> View:
    """Return every trigger, the one that is chosen with its log, the chain, and what the builder offers."""
    found = living(desk.session)
    rules = {row.id: try_rule_of(row)[0] for row in found}
    listed = zip(found, trigger_log.listing(desk.session, found), strict=True)
    rows = [{**_row(words, rules[row.id]), "rule": row.rule, "version": row.version} for row, words in listed]
    chosen = next((row for row in found if str(row.id) == params.get("trigger")), None)
    log = trigger_log.rows(desk.session, trigger_id=chosen.id if chosen is not None else None, limit=LOGGED)
    return {
        "rows": rows,
        "chosen": str(chosen.id) if chosen is not None else None,
        "log": [_firing(row) for row in log],
        "chain": chain([_link(row, rules[row.id]) for row in found]),
        "offers": _offers(desk),
        "webhooks": _webhooks(desk), "retakes": retake_rules.panel(desk),
        "may": {
            "manage": desk.may(Permission.MANAGE_TRIGGERS), "costly": desk.may(Permission.ENABLE_COSTLY_TRIGGERS),
            "webhooks": desk.may(Permission.MANAGE_WEBHOOKS),
        },
    }  # fmt: skip


def _row(listed: Mapping[str, Any], rule: Rule | None) -> dict[str, Any]:
    return {
        "id": str(listed["trigger_id"]), "name": listed["trigger"], "enabled": listed["enabled"],
        "event": listed["event"], "scope": listed["scope"], "when": listed["when"], "branch": listed["if"],
        "do": [_action_words(a) for a in rule.do] if rule else [],
        "otherwise": [_action_words(a) for a in rule.otherwise] if rule else [],
        "together": rule is not None and rule.together, "at_most": listed["at_most"],
        "costly": listed["costs_gpu_time"],
        "acts_as": listed["acts_as"] or "", "fired": listed["fired"],
        "last": {"status": STATUS[listed["last"]], "word": listed["last"], "at": iso(listed["last_at"])}
        if listed["last"] else None,
        "description": listed["description"], "unreadable": listed["unreadable"],
    }  # fmt: skip


def _action_words(action: Action) -> str:
    options = action.model_dump(mode="json", exclude_defaults=True, exclude={"action"})
    said = ", ".join(f"{k.replace('_', ' ')} {_plain(v)}" for k, v in options.items())
    return f"{ActionKind(action.action).label}{f': {said}' if said else ''}"


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _link(row: m.Trigger, rule: Rule | None) -> Link:
    if rule is None:
        return Link(str(row.id), row.name, False, row.event_kind_id.value, (), ())
    statuses: list[str] = []
    for condition in rule.when:
        if condition.field == "status" and condition.is_ is not None:
            statuses += map(str, condition.is_ if isinstance(condition.is_, tuple) else (condition.is_,))
    actions = tuple(action.action for action in rule.actions)
    return Link(str(row.id), row.name, row.is_enabled, row.event_kind_id.value, tuple(statuses), actions)


def _firing(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": str(row["firing_id"]), "trigger": row["trigger"], "trigger_id": str(row["trigger_id"]),
        "at": iso(row["at"]), "status": STATUS[row["status"]], "word": row["status"], "event": row["event"],
        "event_id": row["event_id"], "about": row["about"], "after": row["after"] or "", "depth": row["depth"],
        "branch": row["branch"], "by": row["by"] or "", "message": row["message"],
        "actions": [
            {"action": ActionKind(a["action"]).label, "status": STATUS[a["status"]], "word": a["status"],
             "said": a["said"]}
            for a in row["actions"]
        ],
        "effects": row["effects"],
    }  # fmt: skip


def _offers(desk: Desk) -> dict[str, Any]:
    """Return what the builder offers: events with their fields, and names to choose from."""

    def names(column: Any) -> list[str]:
        return list(desk.session.scalars(sa.select(column).order_by(column)))

    characters = desk.session.execute(
        sa.select(m.Project.name, m.Character.name)
        .join(m.Project, m.Project.id == m.Character.project_id)
        .order_by(m.Project.name, m.Character.name)
        .limit(2000)
    )
    return {
        "events": [
            {
                "kind": kind.value, "fields": sorted(facts.fields), "opens": list(facts.opens),
                "values": {field: sorted(words) for field, words in (facts.values or {}).items()},
            }
            for kind, facts in EVENTS.items()
        ],
        "projects": names(m.Project.name), "characters": [list(pair) for pair in characters],
        "scene_types": names(m.SceneType.name), "variants": names(m.VariantKind.name), "tiers": names(m.Tier.name),
        "metrics": names(m.Metric.name), "metadata": names(m.MetadataField.name), "webhooks": names(m.Webhook.name),
        "people": ["owner", *(role.value for role in RoleName)],
        "actions": [{"kind": a.value, "label": a.label} for a in ActionKind],
    }  # fmt: skip


def _webhooks(desk: Desk) -> list[dict[str, Any]]:
    return [
        {
            "name": row["webhook"], "url": row["url"], "waiting": row["waiting"], "delivered": row["delivered"],
            "failed": row["failed"], "last": row["last"], "last_at": iso(row["last_at"]) if row["last_at"] else None,
        }
        for row in webhooks.listing(desk.session, desk.actor)
    ]  # fmt: skip
