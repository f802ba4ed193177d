"""Writes what a playbook does as JSON lines to file descriptor 3, where the CLI reads them."""

from __future__ import annotations

import json
import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: serin_progress
type: notification
short_description: the progress of a playbook, for the CLI
description: One JSON object for each task that changed a host, failed, or tells an outcome. Results under no_log have no text.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "serin_progress"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        self.names = {}
        self.output = os.fdopen(os.dup(3), "w", buffering=1)

    def v2_playbook_on_task_start(self, task, is_conditional):
        # Only now are the variables in the name replaced.
        self.names[task._uuid] = task.get_name()

    v2_playbook_on_handler_task_start = lambda self, task: self.v2_playbook_on_task_start(task, False)

    def v2_runner_on_ok(self, result):
        facts = result._result.get("ansible_facts") or {}
        outcomes = [facts[name] for name in facts if name.endswith("_outcome") and isinstance(facts[name], dict)]
        changed = bool(result._result.get("changed"))
        self.write("ok", result, changed=changed, outcome=outcomes[0] if outcomes else None)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        if not ignore_errors:
            self.write("failed", result, message=self.explain(result._result))

    def v2_runner_on_unreachable(self, result):
        self.write("unreachable", result, message=self.explain(result._result))

    def explain(self, outcome):
        failed = [item for item in outcome.get("results", []) if item.get("failed")]
        if failed:
            return self.explain(failed[0])
        texts = [outcome.get(name) for name in ("stderr", "msg", "censored")]
        return str(next((text for text in texts if text), "no reason given"))

    def write(self, event, result, **facts):
        name = self.names.get(result._task._uuid, result._task.get_name())
        line = {"event": event, "host": result._host.get_name(), "task": name, **facts}
        self.output.write(json.dumps(line, default=str) + "\n")
