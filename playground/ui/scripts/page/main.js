// What runs before Gradio's page does (static_pages.py puts it there): it must see the first thing that Gradio asks for.
import "./address.js";
import "./scroll.js";
import "./connection.js";
import "./stream.js";
