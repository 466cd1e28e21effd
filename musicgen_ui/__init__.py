"""A browser studio in which anyone makes music by moving style sliders."""

__version__ = "0.2.0"
