"""The studio's look as a Gradio theme: warm paper and vermilion by day, dark walnut and amber by night.

Fonts come with Gradio and are served from this machine. What a theme cannot say is in ``static/studio.css``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import gradio as gr
from gradio.themes import Color, LocalFont, Size

from musicgen_ui.ui.controls import end_words_css

STATIC = Path(__file__).parent / "static"

LIGHT: Mapping[str, str] = MappingProxyType({
    "page": "#f4eee4", "panel": "#fffdf9", "well": "#f0e8da", "line": "#ddd0bc", "edge": "#8d7c66",
    "ink": "#2b211a", "soft": "#67594b", "accent": "#b83a12", "accent-hover": "#9a2f0c", "on-accent": "#ffffff",
})  # fmt: skip
DARK: Mapping[str, str] = MappingProxyType({
    "page": "#17130f", "panel": "#211b16", "well": "#2c241d", "line": "#43382d", "edge": "#8f7f6c",
    "ink": "#f5ecdf", "soft": "#bfae99", "accent": "#f6a63c", "accent-hover": "#ffbe63", "on-accent": "#1d1206",
})  # fmt: skip
"""Colour roles. Text roles keep a contrast of at least 4.5 on page, panel and well; a test computes it."""

PARTS_LIGHT: Mapping[str, str] = MappingProxyType(
    {"lead": "#c2410c", "chords": "#0f766e", "bass": "#4656b8", "drums": "#8a6410"}
)
PARTS_DARK: Mapping[str, str] = MappingProxyType(
    {"lead": "#ff8a5c", "chords": "#4fd1bd", "bass": "#93a4ff", "drums": "#e9c46a"}
)
"""Colour of each part in the piano roll and its legend."""

_AMBER = Color(
    "#fff7ed", "#fdead2", "#fad3a6", "#f8bd74", "#f6a63c", "#e08a1e",
    "#c9561a", "#b83a12", "#9a2f0c", "#7c260b", "#4d1706", name="amber-studio",
)  # fmt: skip
_PAPER = Color(
    "#fffdf9", "#f4eee4", "#ddd0bc", "#bfae99", "#8f7f6c", "#756753",
    "#67594b", "#43382d", "#2c241d", "#211b16", "#17130f", name="paper",
)  # fmt: skip


_ROLES: Mapping[str, str] = MappingProxyType({
    "page": "body_background_fill",
    "panel": "background_fill_primary block_background_fill block_label_background_fill panel_background_fill "
    "input_background_fill_focus checkbox_background_color button_secondary_background_fill",
    "well": "background_fill_secondary color_accent_soft input_background_fill checkbox_label_background_fill "
    "checkbox_label_background_fill_selected button_secondary_background_fill_hover",
    "line": "border_color_primary checkbox_label_background_fill_hover checkbox_label_border_color",
    "edge": "input_border_color checkbox_border_color button_secondary_border_color",
    "ink": "body_text_color block_title_text_color checkbox_label_text_color button_secondary_text_color "
    "button_secondary_text_color_hover accordion_text_color",
    "soft": "body_text_color_subdued block_info_text_color block_label_text_color input_placeholder_color",
    "accent": "border_color_accent color_accent input_border_color_focus slider_color loader_color link_text_color "
    "checkbox_background_color_selected checkbox_border_color_selected checkbox_border_color_focus "
    "checkbox_label_border_color_selected button_primary_background_fill button_primary_border_color "
    "button_secondary_border_color_hover",
    "accent-hover": "button_primary_background_fill_hover button_primary_border_color_hover",
    "on-accent": "button_primary_text_color button_primary_text_color_hover",
})  # fmt: skip
"""Colour role to the theme variables that take it."""

_ONE_FOR_BOTH = {"color_accent"}
"""Theme variables that Gradio has no dark twin of."""


def studio_theme() -> gr.themes.Base:
    """The theme to pass to ``launch``."""
    theme = gr.themes.Base(
        primary_hue=_AMBER, secondary_hue=_AMBER, neutral_hue=_PAPER,
        radius_size=Size("2px", "4px", "6px", "9px", "12px", "16px", "22px", name="studio"),
        text_size=gr.themes.sizes.text_md,
        font=(LocalFont("Lexend", weights=(400, 600)), "ui-sans-serif", "system-ui",
              "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "sans-serif"),
        font_mono=(LocalFont("IBM Plex Mono", weights=(400, 600)), "ui-monospace", "monospace"),
    )  # fmt: skip
    theme.name = "musicgen-ui"
    # The variables change with the theme by themselves, so light and dark are given the same value.
    colours = {name: f"var(--{role})" for role, names in _ROLES.items() for name in names.split()}
    colours |= {f"{name}_dark": colour for name, colour in colours.items() if name not in _ONE_FOR_BOTH}
    return theme.set(
        **colours, block_border_width="0px", block_shadow="none", block_padding="0px", block_label_text_weight="400",
        block_title_text_weight="600", block_title_text_size="*text_md", block_info_text_size="*text_sm",
        input_border_width="1px", layout_gap="14px", form_gap_width="0px", button_border_width="1px",
        button_transition="background-color .12s, border-color .12s", button_large_text_weight="600",
        button_small_text_weight="400", button_medium_text_weight="600", checkbox_border_radius="4px",
    )  # fmt: skip


def palette_css() -> str:
    """The colour roles as CSS variables, for what Gradio has no component for."""

    def block(selector: str, *tables: Mapping[str, str]) -> str:
        return selector + "{" + "".join(f"--{name}:{value};" for table in tables for name, value in table.items()) + "}"

    return block(":root", LIGHT, PARTS_LIGHT) + block(":root.dark,:root .dark", DARK, PARTS_DARK)


MODULE_STYLES = ("player", "library", "workbench")
"""Style sheets of the page's own modules, beside the one that Gradio is given."""


def head_html() -> str:
    """What the page's head loads: our modules and their style sheets, from this machine, by relative addresses."""
    styles = "".join(f'<link rel="stylesheet" href="studio/static/{name}.css">' for name in MODULE_STYLES)
    return f'{styles}<script type="module" src="studio/static/main.js"></script>'


def mount_options() -> dict[str, Any]:
    """What ``gr.mount_gradio_app`` needs: the look, the limits, and nothing that leaves the machine."""
    return {
        "theme": studio_theme(),
        "css": palette_css() + end_words_css() + (STATIC / "studio.css").read_text("utf-8"),
        "head": head_html(),
        "favicon_path": str(STATIC / "icon.svg"),
        "footer_links": [],
        "run_history": False,
        "ssr_mode": False,
        "show_error": False,
        "pwa": False,
        "mcp_server": True,
        "enable_monitoring": False,
        "max_file_size": "15mb",
    }
