"""Schedules and Nexus endpoints, on the reference server."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from temporalio.api.enums.v1 import ScheduleOverlapPolicy
from temporalio.api.nexus.v1 import EndpointSpec
from temporalio.api.operatorservice.v1 import ListNexusEndpointsRequest
from temporalio.api.schedule.v1 import Schedule
from temporalio.api.workflowservice.v1 import DescribeScheduleRequest, UpdateScheduleRequest

from durable_cli.dev.project.values import OVERLAP_POLICIES as OVERLAP_NAMES
from durable_cli.dev.provision.calendars import expand_calendar, expand_cron
from durable_cli.dev.provision.schedules import OVERLAP_POLICIES

from .conftest import World

pytestmark = pytest.mark.reference

DAILY = 'cron = "@daily"\n'

EXPRESSIONS = (
    "0 3 * * *",
    "*/20 1-5 1,15 jan-mar 7",
    "5,10-20/3 */7 * 2,4 MON-fri",
    "0 0 31 12 0",
    "* * * * *",
    "59 23 1-31 1-12 0-6",
    "0-59/1 0 */10 * 5-7",
    *("@hourly", "@daily", "@weekly", "@monthly", "@yearly"),
)


class Nightly:
    """A schedule, declared and looked at; a new namespace costs a second or two, so all tests share one."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.schedule_id = f"nightly-{uuid.uuid4().hex[:8]}"

    async def declare(self, keys: str, workflow_type: str = "Report", task_queue: str = "reports") -> str:
        """Provision it with these keys, and return what became of it."""
        table = f'[schedules.{self.schedule_id}]\nworkflow_type = "{workflow_type}"\ntask_queue = "{task_queue}"\n'
        (line,) = await self.world.provision_lines(table + keys)
        return line.removeprefix(f"schedule {self.schedule_id}: ")

    async def describe(self) -> Schedule:
        client = self.world.connect()
        async with client.doing("look"):
            request = DescribeScheduleRequest(namespace=self.world.namespace, schedule_id=self.schedule_id)
            return (await client.workflow_service.describe_schedule(request)).schedule

    async def change(self, by: Callable[[Schedule], None]) -> None:
        """Change it as somebody else would."""
        schedule = await self.describe()
        by(schedule)
        client = self.world.connect()
        async with client.doing("change"):
            request = UpdateScheduleRequest(
                namespace=self.world.namespace, schedule_id=self.schedule_id, schedule=schedule
            )
            await client.workflow_service.update_schedule(request)


@pytest.fixture(scope="module")
def reference(reference_address: str) -> World:
    return World(reference_address)


@pytest.fixture
def nightly(reference: World) -> Nightly:
    return Nightly(reference)


async def test_a_schedule_is_made_as_declared(nightly: Nightly) -> None:
    text = (
        'cron = ["0 3 * * 1-5", "@weekly"]\nevery = ["10m", "1d"]\ntimezone = "Europe/Berlin"\nworkflow_id = "report"\n'
        'input = [{ region = "eu" }, 2]\noverlap = "buffer_one"\npaused = true\nnote = "for the office"\n'
    )
    assert await nightly.declare(text) == "created"
    assert await nightly.declare(text) == "unchanged"
    schedule = await nightly.describe()
    assert len(schedule.spec.structured_calendar) == 2
    intervals = [each.interval.ToTimedelta() for each in schedule.spec.interval]
    assert intervals == [timedelta(minutes=10), timedelta(days=1)]
    assert schedule.spec.timezone_name == "Europe/Berlin"
    action = schedule.action.start_workflow
    assert (action.workflow_id, action.workflow_type.name, action.task_queue.name) == ("report", "Report", "reports")
    assert [payload.data for payload in action.input.payloads] == [b'{"region":"eu"}', b"2"]
    assert schedule.policies.overlap_policy == ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE
    assert (schedule.state.paused, schedule.state.notes) == (True, "for the office")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('cron = "0 3 * * *"', 'cron = "0 4 * * *"'),
        ('cron = "0 3 * * *"', 'cron = ["0 3 * * *", "@weekly"]'),
        ('cron = "0 3 * * *"', 'every = "1h"'),
        ('every = "1h"', 'every = "2h"'),
        ('cron = "@daily"', 'cron = "@daily"\ntimezone = "Europe/Berlin"'),
        ('cron = "@daily"', 'cron = "@daily"\nworkflow_id = "other"'),
        ('cron = "@daily"\ninput = [1]', 'cron = "@daily"\ninput = [2]'),
        ('cron = "@daily"\ninput = [1]', 'cron = "@daily"'),
        ('cron = "@daily"\noverlap = "AllowAll"', 'cron = "@daily"'),
        ('cron = "@daily"', 'cron = "@daily"\npaused = true'),
        ('cron = "@daily"\npaused = true', 'cron = "@daily"\npaused = false'),
        ('cron = "@daily"', 'cron = "@daily"\nnote = "x"'),
    ],
)
async def test_a_changed_declaration_is_updated(nightly: Nightly, before: str, after: str) -> None:
    await nightly.declare(before)
    assert await nightly.declare(after) == "updated"
    assert await nightly.declare(after) == "unchanged"


async def test_the_type_and_the_queue_are_updated(nightly: Nightly) -> None:
    await nightly.declare('every = "1h"')
    assert await nightly.declare('every = "1h"', "Other", "others") == "updated"
    action = (await nightly.describe()).action.start_workflow
    assert (action.workflow_type.name, action.task_queue.name) == ("Other", "others")


async def test_other_spellings_of_the_same_are_no_change(nightly: Nightly) -> None:
    await nightly.declare('cron = "@daily"\nevery = "60m"\noverlap = "Skip"\n')
    same = 'cron = "0 0 * * sun-sat"\nevery = "1h"\noverlap = "skip"\n'
    assert await nightly.declare(same) == "unchanged"


async def test_what_the_file_has_no_say_in_stays(nightly: Nightly) -> None:
    await nightly.declare('every = "1h"')

    def by(schedule: Schedule) -> None:
        schedule.state.paused, schedule.state.notes = True, "stopped by hand"
        schedule.spec.jitter.FromTimedelta(timedelta(seconds=5))
        schedule.policies.pause_on_failure = True

    await nightly.change(by)
    assert await nightly.declare('every = "1h"') == "unchanged"
    assert await nightly.declare('every = "2h"') == "updated"
    schedule = await nightly.describe()
    assert (schedule.state.paused, schedule.state.notes) == (True, "stopped by hand")
    assert schedule.spec.jitter.ToTimedelta() == timedelta(seconds=5)
    assert schedule.policies.pause_on_failure
    assert [each.interval.ToTimedelta() for each in schedule.spec.interval] == [timedelta(hours=2)]


async def test_what_somebody_else_changed_is_set_right(nightly: Nightly) -> None:
    await nightly.declare(DAILY)

    def by(schedule: Schedule) -> None:
        schedule.spec.structured_calendar[0].hour[0].start = 5

    await nightly.change(by)
    assert await nightly.declare(DAILY) == "updated"
    (calendar,) = (await nightly.describe()).spec.structured_calendar
    assert expand_calendar(calendar) == expand_cron("@daily")


async def test_cron_expressions_mean_what_the_server_makes_of_them(nightly: Nightly) -> None:
    listed = ", ".join(f'"{expression}"' for expression in EXPRESSIONS)
    await nightly.declare(f"cron = [{listed}]\n")
    calendars = (await nightly.describe()).spec.structured_calendar
    found = dict(zip(EXPRESSIONS, map(expand_calendar, calendars), strict=True))
    assert found == {expression: expand_cron(expression) for expression in EXPRESSIONS}


def test_every_overlap_policy_is_known() -> None:
    unspecified = ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_UNSPECIFIED
    assert set(OVERLAP_POLICIES) == set(OVERLAP_NAMES)
    assert set(OVERLAP_POLICIES.values()) == set(ScheduleOverlapPolicy.values()) - {unspecified}


async def find_endpoint(world: World, name: str) -> EndpointSpec:
    client = world.connect()
    async with client.doing("look"):
        listed = await client.operator_service.list_nexus_endpoints(ListNexusEndpointsRequest(name=name))
    return listed.endpoints[0].spec


async def test_a_nexus_endpoint_is_made_and_updated(reference: World) -> None:
    name = f"payments-{uuid.uuid4().hex[:8]}"  # endpoints are the whole server's
    other = f"{reference.namespace}-other"
    for table, line in [
        ('task_queue = "payments"', "created"),
        ('task_queue = "payments"', "unchanged"),
        ('task_queue = "payments"\ndescription = "pays"', "updated"),
        ('task_queue = "payments"\ndescription = "pays"', "unchanged"),
        (f'task_queue = "payments"\nnamespace = "{other}"', "updated"),
        ('url = "http://localhost:9999/pay"', "updated"),
        ('url = "http://localhost:9999/pay"', "unchanged"),
    ]:
        lines = await reference.provision_lines(f"[nexus_endpoints.{name}]\n{table}\n")
        assert lines[-1] == f"Nexus endpoint {name}: {line}"
    assert (await find_endpoint(reference, name)).target.external.url == "http://localhost:9999/pay"


async def test_a_nexus_endpoint_has_its_target(reference: World) -> None:
    name = f"payments-{uuid.uuid4().hex[:8]}"
    await reference.provision(f'[nexus_endpoints.{name}]\ntask_queue = "pay"\ndescription = "pays"\n')
    spec = await find_endpoint(reference, name)
    assert (spec.target.worker.namespace, spec.target.worker.task_queue) == (reference.namespace, "pay")
    assert spec.description.data == b'"pays"'
