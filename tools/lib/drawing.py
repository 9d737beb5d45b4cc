# SPDX-License-Identifier: GPL-2.0
"""Pages that draw themselves: a template with style, shared script and data put in."""

import json
import pathlib

LIB = pathlib.Path(__file__).parent


def page_fill(template, data):
    # A "</script>" within the data would end it.
    text = json.dumps(data, separators=(",", ":")).replace("</", "<\\/")
    return (pathlib.Path(template).read_text()
            .replace("@STYLE@", (LIB / "page.css").read_text())
            .replace("@SHARED@", (LIB / "page.js").read_text())
            .replace("@DATA@", text))


def rounded(seconds):
    return round(seconds, 5)
