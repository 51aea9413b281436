"""The catalogue: every service, one file each. To add one, write its file and name it here."""

from services import checkout, inventory, payments

CATALOGUE = {
    "inventory": inventory.declare,
    "checkout": checkout.declare,
    "payments": payments.declare,
}
