"""Finds what is still English on a page that speaks Chinese."""

from __future__ import annotations

import re
from typing import Any

NAMES = (
    "MusicGen UI", "WaveNet", "LSTM", "VAE-GAN", "SoundFont", "MIDI", "MusicXML", "WAV", "FLAC", "MP3", "OGG", "M4A",
    "MCP", "BPM", "MFCC", "Python", "HTTP", "HTTPS", "https", "OpenAPI", "JSON", "M3U", "zip", "Ctrl", "Enter",
    "Lo-fi", "English", "AABA", "ABAB",
)  # fmt: skip
"""Proper names, formats and keys of the keyboard."""

UNITS = ("dB", "Hz", "kHz", "MB", "kB", "k")
_NOTE = r"[A-G](?:[♭♯]|b|#)?(?:maj7|min7|m7|dim|aug|sus|m|7|-?\d)?"
_ALLOWED = re.compile(
    rf"\b(?:{'|'.join(re.escape(name) for name in (*NAMES, *UNITS))})\b|(?<![A-Za-z]){_NOTE}(?![A-Za-z])"
    r"|(?<![A-Za-z])[A-Z]'*(?![A-Za-z])|(?<=\d)k\b|← →|σ"
)
_TITLE = re.compile("《[^》]*》|“[^”]*”")

COLLECT = """() => {
    const found = [];
    const hidden = (element) => element.closest('[translate="no"], script, style, textarea, template') ;
    const within = (element, what) => element.closest(what)?.parentElement.checkVisibility();
    const seen = (element) => element.checkVisibility({ visibilityProperty: true })
        || within(element, '[role=tooltip]') || within(element, 'option');
    const shown = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').get;
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    for (let node = walker.currentNode; node; node = walker.nextNode()) {
        const element = node.nodeType === 3 ? node.parentElement : node;
        if (!element || hidden(element) || !seen(element)) continue;
        if (node.nodeType === 3) {
            if (/[A-Za-z]/.test(node.data)) found.push(node.data.trim());
            continue;
        }
        for (const name of ['aria-label', 'title', 'placeholder', 'alt', 'aria-valuetext', 'aria-description'])
            if (element.hasAttribute(name)) found.push(`${name}: ${element.getAttribute(name)}`);
        if (element.matches('input[role=combobox]')) found.push(`shown: ${shown.call(element)}`);
        for (const side of ['::before', '::after']) {
            const words = getComputedStyle(element, side).content;
            if (words.startsWith('"') && /[A-Za-z]/.test(words)) found.push(`${side}: ${words.slice(1, -1)}`);
        }
    }
    return [...new Set(found)];
}"""
"""Everything with a Latin letter that a person can see or hear: texts, attributes, chosen entries, written by CSS."""


def english(page: Any) -> list[str]:
    """What of a page is neither Chinese nor a name, a unit or a note."""
    left = []
    for text in page.evaluate(COLLECT):
        words = re.sub(r"^(?:aria-\w+|title|placeholder|alt|shown|::\w+): ", "", text)
        if re.search("[A-Za-z]", _ALLOWED.sub("", _TITLE.sub("", words))):
            left.append(text)
    return left
