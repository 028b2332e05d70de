"""Acuse: service-support software in which every act leaves its receipt."""

__version__ = "0.1.0"
