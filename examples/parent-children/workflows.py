"""A parent and its children: each of them is a workflow of its own, with its own history and its own end."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError, FailureError

with workflow.unsafe.imports_passed_through():
    import activities
    from shared import Delivery, Parcel, Redirection, Report

ACTIVITY_OPTIONS = workflow.ActivityConfig(start_to_close_timeout=timedelta(seconds=10))


@workflow.defn
class DeliveryWorkflow:
    """The parent: deliver an order, each of its parcels in a child workflow."""

    def __init__(self) -> None:
        self._is_on_the_road = False

    @workflow.query
    def is_on_the_road(self) -> bool:
        """Say whether all parcels have left."""
        return self._is_on_the_road

    @workflow.signal
    async def redirect(self, redirection: Redirection) -> None:
        """Tell a parcel that it goes elsewhere. All that is needed is its id; it could be anybody's workflow."""
        await workflow.wait_condition(lambda: self._is_on_the_road)
        parcel = workflow.get_external_workflow_handle_for(ParcelWorkflow.run, _child_id(redirection.parcel_name))
        try:
            await parcel.signal(ParcelWorkflow.redirect, redirection.address)
        except ApplicationError as error:
            workflow.logger.info("too late to redirect %s: %s", redirection.parcel_name, error)

    @workflow.run
    async def run(self, delivery: Delivery) -> Report:
        """Return what became of each parcel; one that can't be delivered does not hold up the others."""
        # TERMINATE (the default): nobody looks at the map when this workflow has ended, so it ends at once, too.
        await workflow.start_child_workflow(
            MapWorkflow.run,
            delivery.order_id,
            id=_child_id("map"),
            parent_close_policy=workflow.ParentClosePolicy.TERMINATE,
        )

        # Fan out, and gather. A cancellation of this workflow goes on to the children that it waits for; `gather`
        # waits until the last of them has ended, be it as cancelled, and then raises it here.
        parcels = await asyncio.gather(
            *(
                workflow.start_child_workflow(ParcelWorkflow.run, parcel, id=_child_id(parcel.name))
                for parcel in delivery.parcels
            )
        )
        self._is_on_the_road = True
        results = await asyncio.gather(*parcels, return_exceptions=True)

        report = Report()
        for parcel, result in zip(delivery.parcels, results, strict=True):
            match result:
                case str(address):
                    report.delivered[parcel.name] = address
                case ChildWorkflowError():
                    report.returned[parcel.name] = _reason(result)
                case _:
                    raise result

        # ABANDON: the review is asked for when this workflow has long ended. The child has to be started by then.
        await workflow.start_child_workflow(
            ReviewWorkflow.run,
            delivery,
            id=_child_id("review"),
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
        )
        await workflow.wait_condition(workflow.all_handlers_finished)
        return report


@workflow.defn
class ParcelWorkflow:
    """A child: bring one parcel to its address, or back to the warehouse."""

    @workflow.init
    def __init__(self, parcel: Parcel) -> None:
        self._address = parcel.address

    @workflow.signal
    def redirect(self, address: str) -> None:
        """Go to another address."""
        self._address = address

    @workflow.run
    async def run(self, parcel: Parcel) -> str:
        """Return the address where the parcel was handed over."""
        try:
            await workflow.sleep(parcel.travel_seconds)
            address = self._address
            await workflow.execute_activity(activities.hand_over, args=[parcel.name, address], **ACTIVITY_OPTIONS)
        except (ActivityError, asyncio.CancelledError):
            await workflow.execute_activity(activities.bring_back, parcel.name, **ACTIVITY_OPTIONS)
            raise
        return address


@workflow.defn
class MapWorkflow:
    """A child without an end of its own: keep the customer's map up to date."""

    @workflow.run
    async def run(self, order_id: str) -> None:
        """Go on until somebody ends it."""
        while True:
            await workflow.execute_activity(activities.update_map, order_id, **ACTIVITY_OPTIONS)
            await workflow.sleep(30)


@workflow.defn
class ReviewWorkflow:
    """A child that outlives its parent: ask for a review when the customer has tried things out."""

    @workflow.run
    async def run(self, delivery: Delivery) -> None:
        """Wait, and ask."""
        await workflow.sleep(delivery.review_after_seconds)
        await workflow.execute_activity(activities.ask_for_review, delivery.order_id, **ACTIVITY_OPTIONS)


def _child_id(name: str) -> str:
    """Return the id of a child of the running workflow."""
    return f"{workflow.info().workflow_id}/{name}"


def _reason(error: BaseException) -> str:
    """Return the innermost message: a child fails because its activity fails because of something."""
    while isinstance(error, FailureError) and error.cause:
        error = error.cause
    return str(error)
