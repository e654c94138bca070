"""The words of the tab Model, in both languages. Knows no element; page_texts.py hands them on with all the others."""

from __future__ import annotations

from collections.abc import Mapping

from playground.types import Text

ENGINE = Text("An engine over HTTP, which holds the model.", "通过 HTTP 访问的引擎，模型由它持有。")

MODEL_TEXTS: Mapping[str, Text] = {
    "model_heading": Text("What is loaded", "已加载的模型"),
    "model_none": Text("The model is still being loaded.", "模型仍在加载。"),
    "model_id": Text("Name", "名称"),
    "model_engine": Text("Engine", "引擎"),
    "model_revision": Text("Revision", "版本"),
    "model_parameters": Text("Parameters", "参数量"),
    "model_dtype": Text("Number format", "数值格式"),
    "model_size": Text("Weights", "权重大小"),
    "model_context": Text("Context window", "上下文窗口"),
    "model_chat": Text("Chat template", "对话模板"),
    "model_folder": Text("Folder", "文件夹"),
    "models_heading": Text("Models to choose from", "可选的模型"),
    "model_note": Text("Good for", "适合"),
    "model_memory": Text("Memory, about", "内存（约）"),
    "model_here": Text("on this machine", "已在本机"),
    "copy_command": Text("Copy command", "复制命令"),
    "yes": Text("yes", "有"),
    "no": Text("none", "无"),
    "tokens_unit": Text("{count:token|tokens}", "{count} 词元"),
    "tokens_endless": Text("{count:token|tokens}; the model itself sets no limit", "{count} 词元；模型本身没有上限"),
    "device_map": Text("Device map", "设备分布"),
    "device_map_help": Text("Where each layer's weights are held.", "每一层的权重放在哪里。"),
    "module": Text("Module", "模块"),
    "device": Text("Device", "设备"),
    "bytes": Text("Size", "大小"),
    # What is loaded
    "model_held": Text("Memory", "内存"),
    "model_held_both": Text("{measured} measured, {estimate} estimated", "实测 {measured}，估计 {estimate}"),
    "model_held_one": Text("{measured} measured", "实测 {measured}"),
    "model_template": Text("Chat template", "对话模板"),
    "model_own": Text("The model's own settings", "模型自带的参数"),
    "model_own_none": Text("The model's authors recommend no sampling settings.", "模型作者没有推荐采样参数。"),
    "model_own_values": Text("Its authors recommend {values}.", "模型作者推荐：{values}。"),
    "model_own_lacks": Text("They say nothing of {names}.", "没有提到：{names}。"),
    "model_own_beyond": Text("Named by the model, but no knob here", "模型提到、但此处没有的参数"),
    "model_own_use": Text("Set the knobs on Play to these", "把“体验”页的参数设为这些值"),
    "model_others": Text("Also loaded", "同时加载的模型"),
    "model_use": Text("Use", "使用"),
    "model_unload": Text("Unload", "卸载"),
    "model_idle_s": Text("idle for less than a minute", "空闲不到一分钟"),
    "model_idle_min": Text("idle for {count} min", "已空闲 {count} 分钟"),
    "model_idle_h": Text("idle for {count} h", "已空闲 {count} 小时"),
    "model_busy": Text("{count:text|texts} being written", "正在生成 {count} 条文本"),
    "model_events": Text("What happened before", "此前发生的事"),
    # What is being done
    "model_switch_to": Text("Switching to {name}", "正在切换到 {name}"),
    "model_load_named": Text("Loading {name}", "正在加载 {name}"),
    "model_switch": Text("Another model is being loaded", "正在加载另一个模型"),
    "model_estimating": Text("Estimating its memory", "正在估计内存"),
    "model_downloading": Text("Downloading", "正在下载"),
    "model_waiting": Text(
        "Waiting for {count:text|texts} that are still being written", "等待仍在生成的 {count} 条文本"
    ),
    "model_halt": Text("Stop them now", "立即停止它们"),
    "model_unloading": Text("Giving back the memory of the model before", "正在释放先前模型的内存"),
    "model_loading": Text("Loading", "正在加载"),
    "model_cancelling": Text("Ending…", "正在结束……"),
    "model_bytes": Text("{done} of {total}", "{done} / {total}"),
    "model_rate": Text("{rate} per second", "每秒 {rate}"),
    "model_left_s": Text("about {count} s left", "约剩 {count} 秒"),
    "model_left_min": Text("about {count} min left", "约剩 {count} 分钟"),
    "model_left_h": Text("about {count} h left", "约剩 {count} 小时"),
    "model_since": Text("{count} s so far", "已用 {count} 秒"),
    "model_old_stays": Text("{title} goes on until the other one is ready.", "在新模型就绪之前，{title} 继续工作。"),
    "model_cancel": Text("Cancel", "取消"),
    "model_failed_named": Text("{name} was not loaded.", "未能加载 {name}。"),
    "model_failed_stays": Text("{title} goes on.", "{title} 继续工作。"),
    # Choosing another
    "models_owner": Text(
        "Choose from the list below, or type a name. What is not on this machine yet is downloaded first.",
        "从下面的列表中选择，或输入名称。本机还没有的模型会先下载。",
    ),
    "models_visitor": Text(
        "Only the owner of this server switches models; here you see which there are.",
        "只有此服务器的所有者可以切换模型；这里列出可选的模型。",
    ),
    "models_visitor_link": Text(
        "The owner is who opened the page with the owner link that the terminal printed.",
        "所有者是用终端打印的所有者链接打开本页的人。",
    ),
    "model_name": Text(
        "Hub id, folder, GGUF file, or the address of an engine", "模型库编号、文件夹、GGUF 文件或引擎地址"
    ),
    "model_adapter": Text("Adapter (LoRA): a folder, or nothing", "适配器（LoRA）：文件夹，或留空"),
    "model_adapter_hint": Text("what a training has learned, put into this model", "训练所学，合入此模型"),
    "model_adapter_share": Text("How much of it", "使用比例"),
    "model_adapter_share_help": Text(
        "0 is the model without the adapter, 1 is all of what was learned.", "0 为不使用适配器，1 为使用全部所学。"
    ),
    "model_adapter_folder": Text("Adapter", "适配器"),
    "model_choose": Text("Choose", "选择"),
    "model_choose_named": Text("Choose {title}", "选择 {title}"),
    "model_page": Text("Its page on the hub:", "它在模型库的页面："),
    "model_gated": Text(
        "If the model is gated, accept its licence on that page, and start this server with a token in HF_TOKEN.",
        "如果模型需要授权，请在该页面接受其许可，并在启动此服务器时用 HF_TOKEN 提供令牌。",
    ),
    "model_token": Text("A token is set.", "已设置令牌。"),
    "model_no_token": Text("No token is set.", "没有设置令牌。"),
    "model_how": Text("How it is loaded", "加载方式"),
    "model_weights_auto": Text("auto: as the path and the file want it", "auto：由路径和文件决定"),
    "model_weights_fp32": Text("fp32: exact, twice the memory of bf16", "fp32：精确，内存是 bf16 的两倍"),
    "model_weights_bf16": Text("bf16: 16 bits", "bf16：16 位"),
    "model_weights_int8": Text("int8: 8 bits", "int8：8 位"),
    "model_weights_int4": Text("int4: 4 bits, the smallest", "int4：4 位，最小"),
    "model_memory_limits": Text("Most memory of each device", "每个设备的内存上限"),
    "model_memory_hint": Text("cpu=8GiB,0=20GiB; empty is all of it", "cpu=8GiB,0=20GiB；留空表示全部"),
    "model_context_limit": Text("Context length in tokens", "上下文长度（词元）"),
    "model_context_hint": Text("empty is the model's own", "留空则使用模型自带的长度"),
    "model_template_hint": Text("Jinja; empty is the model's own", "Jinja；留空则使用模型自带的模板"),
    "model_template_show": Text("Show the one in use", "显示正在使用的模板"),
    "model_template_reset": Text("Back to the model's own", "恢复模型自带的模板"),
    "model_template_none": Text("The loaded model has no chat template.", "已加载的模型没有对话模板。"),
    "model_trust": Text("Run code that comes with the model", "运行模型自带的代码"),
    "model_trust_warning": Text(
        "Such code can do whatever you can on this machine: read your files, use your network. "
        "Allow it only for authors whom you trust.",
        "这些代码在本机上能做你能做的任何事：读取文件、使用网络。只有信任作者时才应允许。",
    ),
    "model_running": Text("Texts being written now", "正在生成的文本"),
    "model_wait": Text("are finished first", "先写完"),
    "model_stop": Text("are stopped", "立即停止"),
    "model_load": Text("Load", "加载"),
    "model_estimate": Text("Estimate memory", "估计内存"),
    "model_estimates": Text("Estimating…", "正在估计……"),
    "model_is_busy": Text("Another switch is under way.", "正在进行另一次切换。"),
    # The estimate
    "model_part_loaded_now": Text("loaded now", "现已加载"),
    "model_part_weights": Text("weights", "权重"),
    "model_part_packed": Text("copy for the fast path", "快速路径的副本"),
    "model_part_kv_cache": Text("KV cache of {context} tokens", "{context} 词元的 KV 缓存"),
    "model_part_beside": Text("beside", "其他"),
    "model_part_free": Text("stays free", "剩余"),
    "model_fits": Text("Fits: it needs {need}, and {free} are free.", "放得下：需要 {need}，空闲 {free}。"),
    "model_fits_instead": Text(
        "Fits once what is loaded now is unloaded: it needs {need}, and {free} are free.",
        "卸载现有模型后放得下：需要 {need}，空闲 {free}。",
    ),
    "model_fits_no": Text(
        "Does not fit: it needs {need} and lacks {lacks}. A smaller number format or a shorter context needs less.",
        "放不下：需要 {need}，还差 {lacks}。更小的数值格式或更短的上下文所需更少。",
    ),
    "model_fits_unknown": Text("Nothing is known of its size before it is loaded.", "加载之前无法得知它的大小。"),
    "model_fits_engine": Text(
        "An engine holds this model; nothing is loaded here.", "模型由引擎持有，本机不加载任何内容。"
    ),
    "model_basis_catalogue": Text("Estimated from its number of parameters alone.", "仅根据参数量估计。"),
    "model_downloads": Text("{size} are downloaded first.", "需先下载 {size}。"),
}
