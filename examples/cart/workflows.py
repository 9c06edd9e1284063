"""The cart: a workflow that is changed by updates, each of which is answered with what became of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    import activities
    from shared import MAXIMUM_QUANTITY, Addition, Cart, Line, Receipt

ACTIVITY_OPTIONS = workflow.ActivityConfig(start_to_close_timeout=timedelta(seconds=10))


@workflow.defn
class CartWorkflow:
    """Take things in and out until the checkout.

    A validator runs before its update is written to the history, and must not change anything: what it refuses leaves
    no trace. What it lets pass is accepted, and runs to its end or to its failure, whatever crashes meanwhile.
    """

    # An update may be handled before `run` begins; thanks to `workflow.init`, the cart is known even then.
    @workflow.init
    def __init__(self, cart: Cart) -> None:
        self._cart = cart
        self._is_checking_out = False
        self._receipt: Receipt | None = None
        # Handlers run concurrently, taking turns at every `await`. With the lock, they come one after the other.
        self._lock = asyncio.Lock()

    @workflow.run
    async def run(self, cart: Cart) -> Receipt:
        """Return the receipt of the checkout; until then, go on as a new run whenever the history gets long."""
        await workflow.wait_condition(lambda: self._receipt or workflow.info().is_continue_as_new_suggested())
        # The end of this run is the end of its handlers: whoever waits for one shall get the answer.
        await workflow.wait_condition(workflow.all_handlers_finished)
        if self._receipt is None:
            workflow.continue_as_new(self._cart)
        return self._receipt

    @workflow.query
    def get_cart(self) -> Cart:
        """Return what is in the cart; as a query, it leaves no trace in the history."""
        return self._cart

    @workflow.update
    async def add(self, addition: Addition) -> Cart:
        """Add some of a product, at today's price."""
        async with self._lock:
            price = await workflow.execute_activity(activities.look_up_price, addition.product, **ACTIVITY_OPTIONS)
            quantity = self._cart.quantity_of(addition.product) + addition.quantity
            self._cart.lines[addition.product] = Line(quantity, price)
            return self._cart

    @add.validator
    def validate_add(self, addition: Addition) -> None:
        """Refuse quantities that make no sense."""
        self._validate_is_open()
        if addition.quantity < 1:
            raise ValueError(f"the quantity must be at least 1, not {addition.quantity}")
        if self._cart.quantity_of(addition.product) + addition.quantity > MAXIMUM_QUANTITY:
            raise ValueError(f"nobody needs more than {MAXIMUM_QUANTITY} of {addition.product}")

    @workflow.update
    async def remove(self, product: str) -> Cart:
        """Take all of a product out."""
        async with self._lock:
            self._cart.lines.pop(product, None)
            return self._cart

    @remove.validator
    def validate_remove(self, product: str) -> None:
        """Refuse to take out what is not in."""
        self._validate_is_open()
        if product not in self._cart.lines:
            raise ValueError(f"there is no {product} in the cart")

    @workflow.update
    async def checkout(self, card: str) -> Receipt:
        """Charge the card and complete the workflow; if the card is declined, the cart stays open."""
        self._is_checking_out = True
        async with self._lock:
            total = self._cart.total()
            try:
                payment_id = await workflow.execute_activity(
                    activities.charge_card, args=[card, total], **ACTIVITY_OPTIONS
                )
            except ActivityError:
                self._is_checking_out = False
                raise
            self._receipt = Receipt(payment_id, total)
            return self._receipt

    @checkout.validator
    def validate_checkout(self, card: str) -> None:
        """Refuse to sell nothing."""
        self._validate_is_open()
        if not self._cart.lines:
            raise ValueError("the cart is empty")

    def _validate_is_open(self) -> None:
        if self._is_checking_out:
            raise ValueError("the cart is being checked out")
