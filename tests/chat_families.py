"""How the families of the catalogue write a conversation, and some others, without tools and pictures: their chat
templates in few lines, and one conversation transcribed by hand as each family writes it. Imported, not collected."""

from __future__ import annotations

import copy
import functools
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from transformers import AutoTokenizer

from playground.models import embedded
from playground.models.loading import quiet
from tests import built

SYSTEM, FIRST, ANSWER, PROMPT, WANTED = (
    "Be brief.",
    "Hello.",
    "Good day.",
    "Why does it rain?",
    "Clouds grow heavy.\nEnd.",
)


@dataclass(frozen=True)
class Family:
    """`control` are its control tokens; `alone` and `talk` what is sent for PROMPT and for the whole conversation, and
    `learned` what is written behind either, up to the end of the turn."""

    template: str
    control: tuple[str, ...]
    alone: str
    talk: str
    learned: str
    bos: str = ""


_OPENS = "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
_CHATML = ("<|im_start|>", "<|im_end|>")
_EACH = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
_SAID = (
    "<|im_start|>user\nHello.<|im_end|>\n<|im_start|>assistant\nGood day.<|im_end|>\n"
    "<|im_start|>user\nWhy does it rain?<|im_end|>\n<|im_start|>assistant\n"
)
_ASKED = "<|im_start|>user\nWhy does it rain?<|im_end|>\n<|im_start|>assistant\n"
_BRIEF = "<|im_start|>system\nBe brief.<|im_end|>\n"


def _with_default(system: str) -> str:
    return (
        "{% if messages[0].role != 'system' %}<|im_start|>system\n" + system + "<|im_end|>\n{% endif %}"
        + _EACH + _OPENS
    )  # fmt: skip


def _thinking(begins: str) -> str:
    """As Qwen3: a thought stands only in the answer behind the last question, an empty one where there is none."""
    return (
        "{% set ns = namespace(last=0) %}"
        "{% for m in messages %}{% if m.role == 'user' %}{% set ns.last = loop.index0 %}{% endif %}{% endfor %}"
        "{% for m in messages %}<|im_start|>{{ m.role }}\n"
        "{% if m.role == 'assistant' and '</think>' in m.content %}"
        "{% set thought = m.content.split('</think>')[0].split('<think>')[-1].strip('\n') %}"
        "{% set content = m.content.split('</think>')[-1].lstrip('\n') %}"
        "{% else %}{% set thought = '' %}{% set content = m.content %}{% endif %}"
        "{% if m.role == 'assistant' and loop.index0 > ns.last %}<think>\n{{ thought }}\n</think>\n\n{% endif %}"
        "{{ content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n" + begins + "{% endif %}"
    )


_QWEN25 = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."
_SMOLLM2 = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
NOW = datetime(2025, 7, 8, 12).timestamp()  # the day that a template writes
_METADATA = (
    "<|im_start|>system\n## Metadata\n\nKnowledge Cutoff Date: June 2025\nToday Date: 08 July 2025\n"
    "Reasoning Mode: /think\n\n## Custom Instructions\n\n"
)
FAMILIES: dict[str, Family] = {
    "SmolLM2": Family(
        _with_default(_SMOLLM2), _CHATML, f"<|im_start|>system\n{_SMOLLM2}<|im_end|>\n{_ASKED}", _BRIEF + _SAID,
        "Clouds grow heavy.\nEnd.<|im_end|>",
    ),
    "Qwen2.5": Family(
        _with_default(_QWEN25), _CHATML, f"<|im_start|>system\n{_QWEN25}<|im_end|>\n{_ASKED}", _BRIEF + _SAID,
        "Clouds grow heavy.\nEnd.<|im_end|>",
    ),
    "Qwen3": Family(
        _thinking(""), (*_CHATML, "<think>", "</think>"), _ASKED, _BRIEF + _SAID,
        "<think>\n\n</think>\n\nClouds grow heavy.\nEnd.<|im_end|>",
    ),
    "Qwen3 2507": Family(_EACH + _OPENS, _CHATML, _ASKED, _BRIEF + _SAID, "Clouds grow heavy.\nEnd.<|im_end|>"),
    "Qwen3 2507 thinking": Family(
        _thinking("<think>\n"), (*_CHATML, "<think>", "</think>"), f"{_ASKED}<think>\n", f"{_BRIEF}{_SAID}<think>\n",
        "\n</think>\n\nClouds grow heavy.\nEnd.<|im_end|>",
    ),
    "SmolLM3": Family(
        "{% if messages[0].role == 'system' %}{% set own = messages[0].content %}"
        "{% else %}{% set own = 'You are a helpful AI assistant.' %}{% endif %}"
        + _METADATA.replace("08 July 2025", "{{ strftime_now('%d %B %Y') }}")
        + "{{ own }}\n\n<|im_end|>\n{% for m in messages if m.role != 'system' %}<|im_start|>{{ m.role }}\n"
        "{{ m.content.lstrip('\n') if m.role == 'assistant' else m.content }}<|im_end|>\n{% endfor %}" + _OPENS,
        (*_CHATML, "<think>", "</think>"),
        f"{_METADATA}You are a helpful AI assistant.\n\n<|im_end|>\n{_ASKED}",
        f"{_METADATA}Be brief.\n\n<|im_end|>\n{_SAID}",
        "Clouds grow heavy.\nEnd.<|im_end|>",
    ),
    "Gemma 3": Family(
        "{{ bos_token }}{% if messages[0].role == 'system' %}{% set first = messages[0].content + '\n\n' %}"
        "{% set said = messages[1:] %}{% else %}{% set first = '' %}{% set said = messages %}{% endif %}"
        "{% for m in said %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
        "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
        "<start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}\n{{ first if loop.first else '' }}"
        "{{ m.content | trim }}<end_of_turn>\n{% endfor %}"
        "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}",
        ("<start_of_turn>", "<end_of_turn>"),
        "<bos><start_of_turn>user\nWhy does it rain?<end_of_turn>\n<start_of_turn>model\n",
        "<bos><start_of_turn>user\nBe brief.\n\nHello.<end_of_turn>\n<start_of_turn>model\nGood day.<end_of_turn>\n"
        "<start_of_turn>user\nWhy does it rain?<end_of_turn>\n<start_of_turn>model\n",
        "Clouds grow heavy.\nEnd.<end_of_turn>",
        "<bos>",
    ),
    "Phi-4 mini": Family(
        "{% for m in messages %}{{ '<|' + m.role + '|>' + m.content + '<|end|>' }}{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>{% else %}{{ eos_token }}{% endif %}",
        ("<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
        "<|user|>Why does it rain?<|end|><|assistant|>",
        "<|system|>Be brief.<|end|><|user|>Hello.<|end|><|assistant|>Good day.<|end|>"
        "<|user|>Why does it rain?<|end|><|assistant|>",
        "Clouds grow heavy.\nEnd.<|end|>",
    ),
    # Families beside those of the catalogue, each with a trap of its own.
    "Llama 3": Family(
        "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n"
        "{{ m.content | trim }}<|eot_id|>{% endfor %}"
        "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}",
        ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        "<bos><|start_header_id|>user<|end_header_id|>\n\nWhy does it rain?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
        "<bos><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nHello.<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nGood day.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nWhy does it rain?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
        "Clouds grow heavy.\nEnd.<|eot_id|>",
        "<bos>",
    ),
    "Llama 2, a blank before the end": Family(
        "{% for m in messages %}{% if m.role == 'user' %}{{ bos_token }}[INST] {{ m.content }} [/INST]"
        "{% elif m.role == 'system' %}{{ raise_exception('no system here') }}"
        "{% else %} {{ m.content }} {{ eos_token }}{% endif %}{% endfor %}",
        ("[INST]", "[/INST]"),
        "<bos>[INST] Why does it rain? [/INST]",
        "<bos>[INST] Be brief.\n\nHello. [/INST] Good day. <eos><bos>[INST] Why does it rain? [/INST]",
        " Clouds grow heavy.\nEnd. <eos>",
        "<bos>",
    ),
    "DeepSeek R1, a thought begun": Family(
        "{{ bos_token }}{% for m in messages %}{% if m.role == 'system' %}{{ m.content }}"
        "{% elif m.role == 'user' %}<｜User｜>{{ m.content }}"
        "{% else %}<｜Assistant｜>{{ m.content.split('</think>')[-1] }}{{ eos_token }}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}<｜Assistant｜><think>\n{% endif %}",
        ("<｜User｜>", "<｜Assistant｜>", "<think>", "</think>"),
        "<bos><｜User｜>Why does it rain?<｜Assistant｜><think>\n",
        "<bos>Be brief.<｜User｜>Hello.<｜Assistant｜>Good day.<eos>"
        "<｜User｜>Why does it rain?<｜Assistant｜><think>\n",
        "\n</think>\n\nClouds grow heavy.\nEnd.<eos>",
        "<bos>",
    ),
    "gpt-oss, on channels": Family(
        "{% for m in messages %}<|start|>{{ m.role }}{% if m.role == 'assistant' %}<|channel|>final{% endif %}"
        "<|message|>{{ m.content }}{{ '<|return|>' if loop.last and m.role == 'assistant' else '<|end|>' }}"
        "{% endfor %}{% if add_generation_prompt %}<|start|>assistant{% endif %}",
        ("<|start|>", "<|channel|>", "<|message|>", "<|end|>", "<|return|>"),
        "<|start|>user<|message|>Why does it rain?<|end|><|start|>assistant",
        "<|start|>system<|message|>Be brief.<|end|><|start|>user<|message|>Hello.<|end|>"
        "<|start|>assistant<|channel|>final<|message|>Good day.<|end|>"
        "<|start|>user<|message|>Why does it rain?<|end|><|start|>assistant",
        "<|channel|>final<|message|>Clouds grow heavy.\nEnd.<|return|>",
    ),
    "no end but the next turn": Family(
        "{% for m in messages %}<{{ m.role }}_turn>{{ m.content }}{% endfor %}"
        "{% if add_generation_prompt %}<assistant_turn>{% endif %}",
        ("<system_turn>", "<user_turn>", "<assistant_turn>"),
        "<user_turn>Why does it rain?<assistant_turn>",
        "<system_turn>Be brief.<user_turn>Hello.<assistant_turn>Good day.<user_turn>Why does it rain?<assistant_turn>",
        "Clouds grow heavy.\nEnd.<user_turn>",
    ),
    "no control token at all": Family(
        "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant:{% endif %}",
        (),
        "user: Why does it rain?\nassistant:",
        "system: Be brief.\nuser: Hello.\nassistant: Good day.\nuser: Why does it rain?\nassistant:",
        " Clouds grow heavy.\nEnd.<eos>",
    ),
}  # fmt: skip


def bytes_tokenizer(family: Family) -> Any:
    """Every byte a token, beside the family's control tokens."""
    return _dressed(built.byte_level(special=()), family)


def real_tokenizer(family: Family) -> Any:
    """The embedded model's vocabulary, with the family's control tokens and template."""
    return _dressed(copy.deepcopy(_embedded()), family)


@functools.cache
def _embedded() -> Any:
    return AutoTokenizer.from_pretrained(embedded.ensure(quiet))


def _dressed(tokenizer: Any, family: Family) -> Any:
    ends = "<eos>" if "<eos>" in family.learned else None
    named = {"bos_token": family.bos or None, "eos_token": ends or tokenizer.eos_token}
    tokenizer.add_special_tokens({name: token for name, token in named.items() if token})
    tokenizer.add_special_tokens({"additional_special_tokens": list(family.control)})
    tokenizer.chat_template = family.template
    return tokenizer
