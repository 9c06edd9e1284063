"""How well a colour is told from its ground: the contrast of the Web Content Accessibility Guidelines."""

from __future__ import annotations

__all__ = ["contrast"]


def contrast(color: str, background: str) -> float:
    """Return the contrast of two colours such as `#aabbcc`, of 1 to 21."""
    lighter, darker = sorted((_luminance(color), _luminance(background)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    parts = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
