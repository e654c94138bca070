"""How the page looks: Gradio's theme in our colours, and the style sheets of assets/ joined into one.

Knows no parameter and no event; no font and no style is fetched from anywhere.
"""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from gradio.themes.utils import colors, sizes

ASSETS = Path(__file__).parent / "assets"

FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "PingFang SC", "Hiragino Sans GB")
FONT_CJK = ("Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "sans-serif")
MONO = ("ui-monospace", "SF Mono", "SFMono-Regular", "Cascadia Mono", "Menlo", "Consolas", "DejaVu Sans Mono")
MONO_CJK = ("Noto Sans Mono CJK SC", "PingFang SC", "Microsoft YaHei", "monospace")

HEAD = """
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
"""

_TEAL = colors.Color(
    name="pg-teal",
    c50="#eef7f6",
    c100="#d8ecea",
    c200="#b0d9d5",
    c300="#80c3bd",
    c400="#4fb5ad",
    c500="#1f8a84",
    c600="#0f6f6b",
    c700="#0c5b58",
    c800="#0b4a48",
    c900="#0a3b3a",
    c950="#062626",
)
_GREY = colors.Color(
    name="pg-grey",
    c50="#f7f9f9",
    c100="#eef1f2",
    c200="#dfe4e6",
    c300="#c6ced2",
    c400="#93a0a7",
    c500="#5f6b72",
    c600="#4c575d",
    c700="#374147",
    c800="#262e33",
    c900="#191f23",
    c950="#12171a",
)

# Colours come from page.css, where each has a light and a dark value: one place to change them.
_COLOURS: dict[str, str] = {
    "body_background_fill": "var(--pg-bg)",
    "body_text_color": "var(--pg-ink)",
    "body_text_color_subdued": "var(--pg-ink-2)",
    "background_fill_primary": "var(--pg-surface)",
    "background_fill_secondary": "var(--pg-bg)",
    "border_color_primary": "var(--pg-line)",
    "border_color_accent": "var(--pg-accent)",
    "color_accent": "var(--pg-accent)",
    "color_accent_soft": "var(--pg-accent-soft)",
    "link_text_color": "var(--pg-accent)",
    "link_text_color_hover": "var(--pg-accent)",
    "link_text_color_visited": "var(--pg-accent)",
    "link_text_color_active": "var(--pg-accent)",
    "block_background_fill": "transparent",
    "block_border_color": "var(--pg-line)",
    "block_label_background_fill": "transparent",
    "block_label_text_color": "var(--pg-ink-2)",
    "block_title_text_color": "var(--pg-ink-2)",
    "block_info_text_color": "var(--pg-ink-2)",
    "panel_background_fill": "transparent",
    "panel_border_color": "var(--pg-line)",
    "input_background_fill": "var(--pg-surface)",
    "input_background_fill_focus": "var(--pg-surface)",
    "input_border_color": "var(--pg-line-strong)",
    "input_border_color_hover": "var(--pg-ink-3)",
    "input_border_color_focus": "var(--pg-accent)",
    "input_placeholder_color": "var(--pg-ink-3)",
    "button_primary_background_fill": "var(--pg-accent-fill)",
    "button_primary_background_fill_hover": "var(--pg-accent-fill-hover)",
    "button_primary_text_color": "var(--pg-on-accent)",
    "button_primary_text_color_hover": "var(--pg-on-accent)",
    "button_primary_border_color": "transparent",
    "button_secondary_background_fill": "var(--pg-surface)",
    "button_secondary_background_fill_hover": "var(--pg-hover)",
    "button_secondary_text_color": "var(--pg-ink)",
    "button_secondary_text_color_hover": "var(--pg-ink)",
    "button_secondary_border_color": "var(--pg-line-strong)",
    "checkbox_background_color": "var(--pg-surface)",
    "checkbox_background_color_selected": "var(--pg-accent-fill)",
    "checkbox_border_color": "var(--pg-line-strong)",
    "checkbox_border_color_selected": "var(--pg-accent-fill)",
    "checkbox_label_background_fill": "transparent",
    "checkbox_label_background_fill_hover": "var(--pg-hover)",
    "checkbox_label_background_fill_selected": "var(--pg-accent-soft)",
    "checkbox_label_text_color": "var(--pg-ink)",
    "checkbox_label_text_color_selected": "var(--pg-ink)",
    "checkbox_label_border_color": "var(--pg-line)",
    "checkbox_label_border_color_selected": "var(--pg-accent)",
    "table_border_color": "var(--pg-line)",
    "table_even_background_fill": "transparent",
    "table_odd_background_fill": "transparent",
    "slider_color": "var(--pg-accent)",
    "loader_color": "var(--pg-accent)",
    "error_background_fill": "var(--pg-warn-soft)",
    "error_text_color": "var(--pg-warn)",
    "error_border_color": "var(--pg-warn)",
    "error_icon_color": "var(--pg-warn)",
}
_SHAPE: dict[str, str] = {
    "block_border_width": "0px",
    "block_padding": "0px",
    "block_radius": "0px",
    "block_shadow": "none",
    "block_label_shadow": "none",
    "block_label_border_width": "0px",
    "block_title_text_weight": "400",
    "block_label_text_weight": "400",
    "panel_border_width": "0px",
    "form_gap_width": "0px",
    "layout_gap": "16px",
    "input_border_width": "1px",
    "button_border_width": "1px",
    "input_shadow": "none",
    "input_shadow_focus": "0 0 0 1px var(--pg-accent)",
    "input_radius": "4px",
    "input_padding": "8px",
    "button_primary_shadow": "none",
    "button_primary_shadow_hover": "none",
    "button_primary_shadow_active": "none",
    "button_secondary_shadow": "none",
    "button_secondary_shadow_hover": "none",
    "button_secondary_shadow_active": "none",
    "button_large_radius": "4px",
    "button_medium_radius": "4px",
    "button_small_radius": "4px",
    "button_large_text_weight": "500",
    "button_medium_text_weight": "500",
    "button_small_text_weight": "400",
    "button_transform_hover": "none",
    "button_transform_active": "none",
    "checkbox_label_shadow": "none",
    "checkbox_label_border_width": "1px",
    "checkbox_shadow": "none",
}


def _theme() -> gr.themes.Base:
    theme = gr.themes.Base(
        primary_hue=_TEAL,
        secondary_hue=_TEAL,
        neutral_hue=_GREY,
        text_size=sizes.text_sm,
        spacing_size=sizes.spacing_md,
        radius_size=sizes.radius_sm,
        font=[*FONT, *FONT_CJK],
        font_mono=[*MONO, *MONO_CJK],
    )
    theme.name = "playground"
    known = vars(theme)
    dark = {f"{name}_dark": value for name, value in _COLOURS.items() if f"{name}_dark" in known}
    theme.set(**_COLOURS, **dark, **_SHAPE)
    return theme


def page_css() -> str:
    """Every style sheet of assets/, page.css with the design tokens first."""
    first = ASSETS / "page.css"
    rest = sorted(path for path in ASSETS.glob("*.css") if path != first)
    return "\n".join(path.read_text(encoding="utf-8") for path in (first, *rest))


THEME = _theme()
