"""Permissions, the roles that hold them, and the actor that every service takes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import StrEnum

from x121lib.base.errors import ForbiddenError
from x121lib.terms.vocabulary import RoleName


class Permission(StrEnum):
    """What a person may do; services ask for one of these, never for a role."""

    VIEW = "view"
    MANAGE_PEOPLE = "manage_people"
    MANAGE_RIGHTS = "manage_rights"
    MANAGE_WORKERS = "manage_workers"
    MANAGE_BUDGETS = "manage_budgets"
    MANAGE_WEBHOOKS = "manage_webhooks"
    MANAGE_TRIGGERS = "manage_triggers"
    ENABLE_COSTLY_TRIGGERS = "enable_costly_triggers"
    MANAGE_RECIPES = "manage_recipes"
    MANAGE_PROJECTS = "manage_projects"
    IMPORT = "import"
    APPROVE_VARIANTS = "approve_variants"
    SUBMIT = "submit"
    CONTROL_QUEUE = "control_queue"
    ORDER_QUEUE = "order_queue"
    REVIEW = "review"
    FINAL_APPROVAL = "final_approval"
    DELIVER = "deliver"
    EXPORT = "export"


_REVIEWER = frozenset({Permission.VIEW, Permission.REVIEW})
_ADMIN_ONLY = frozenset(
    {
        Permission.MANAGE_PEOPLE, Permission.MANAGE_WORKERS, Permission.MANAGE_BUDGETS, Permission.MANAGE_WEBHOOKS,
        Permission.ENABLE_COSTLY_TRIGGERS, Permission.ORDER_QUEUE,
    }
)  # fmt: skip
_CREATOR = frozenset(Permission) - _ADMIN_ONLY
ROLE_PERMISSIONS: dict[RoleName, frozenset[Permission]] = {
    RoleName.ADMIN: frozenset(Permission),
    RoleName.CREATOR: _CREATOR,
    RoleName.REVIEWER: _REVIEWER,
}


@dataclass(frozen=True)
class Actor:
    """Who is acting, with the permissions granted: a value, so that no service looks anything up."""

    person_id: uuid.UUID | None
    """The person; None for X121's own jobs."""
    name: str
    """Name as shown in the audit log."""
    permissions: frozenset[Permission]
    """What the actor may do."""

    def require(self, permission: Permission) -> None:
        """Raise `ForbiddenError` unless the actor holds ``permission``."""
        if permission not in self.permissions:
            raise ForbiddenError(
                f"{self.name} may not do this: it needs the permission '{permission.value}'.",
                hint="Ask an Admin for a role that holds it.",
            )

    def may(self, permission: Permission) -> bool:
        """Return whether the actor holds ``permission``."""
        return permission in self.permissions


SYSTEM = Actor(person_id=None, name="X121", permissions=frozenset(Permission))
"""X121's own jobs: the tick, the consumer, assembly."""
