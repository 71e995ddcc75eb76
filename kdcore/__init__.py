"""Train, explain, measure and export distilled image classifiers, dermoscopy first."""

__version__ = "0.1.0"
