"""Whether a section has become a list of words: on what the embedded model wrote, and on good prose and verse."""

from __future__ import annotations

import pytest

from playground.evaluation.word_list import is_word_list

# What SmolLM2-135M-Instruct wrote on Write, with the preset of long texts, for an article on trees in cities and for a
# story about a lighthouse.
WRITTEN_LISTS = [
    "1. **Cities**\n2. **Fuel**\n3. **Water**\n4. **Air**\n5. **Energy**",
    "1. **Fuel**\n2. **Water**\n3. **Energy**",
    "1. **Cities**\n2. **Fuel**\n3. **Water**\n4. **Energy**\n\n1. **Cities**\n2. **Fuel**\n3. **Water**",
    "1. 守灯塒走\n2. 监着\n3. 锐珠\n4. 因气\n5. 王家\n6. 草杉鸭\n7. 宁家独范\n8. 注漏\n9. 好灰\n10. 小独如猴子",
    "1. 华福福多少＋人\n2. 扣净活动！\n3. 守灯福夜走向\n4. 守短篴的人美高\n5. 性行守稷\n6. 守稷落场\n7. 守矨制守空",
    "12. 接稳葫\n13. 头疾食葫\n14. 食食烧烧\n15. 马上花烧烠\n16. 梮葫烟\n17. 囐嘴食",
    "18. 检食\n19. 碐品食品\n\n20. 葫葫系系\n\n21. 风食\n22. 地容葫\n23. 家庙烏葫",
]
OTHER_LISTS = [
    "sea, sky, wind, sand, gull, harbour, boat, rope, net, light, salt, stone",
    "The keeper put the letter on the table and sat down beside the lamp to read it again.\n\n"
    "lamp, oil, glass, rope, boat, wind, sea, gull, stone, sand, salt, sail, mast",
    "- the sea\n- the sky\n- the wind and the rain\n- a boat of wood",
    "大海，天空，海风，沙滩，海鸥，港口，渔船，绳索",
    "苹果、香蕉、葡萄、西瓜、桃子、草莓、橙子、芒果",
    "（1）城市\n（2）燃料\n（3）空气",
    "一、城市\n二、燃料\n三、空气",
]
# By the embedded model too, in the same sections: wrong in other ways.
WRITTEN_TEXTS = [
    "The letter was a small, heavy box. It was made of a beautiful, dark silver. It had a label that said “LIGHT” but "
    "it had no light on it.",
    "1. How to create a shade in your own garden\n2. What it is and how it affects your garden\n3. What it does to "
    "your plants\n4. How it can be used in your garden",
    "1. I wake up in the morning\n2. I'm already in bed\n3. I go to the bathroom and wash my face\n4. I get ready",
    "The kitchen was a cozy, intimate space filled with the freshest ingredients that the family used to grow their "
    "own food. I recall it vividly, with all its beauty and the aroma of fresh produce wafting through the air.",
    "The chef, however, is not your friend.",
    "2023年",
]
GOOD_TEXTS = [
    # Melville, Moby-Dick
    "Call me Ishmael. Some years ago—never mind how long precisely—having little or no money in my purse, and nothing "
    "particular to interest me on shore, I thought I would sail about a little and see the watery part of the world.",
    # Dickens, Bleak House: hardly a verb in it
    "London. Michaelmas Term lately over, and the Lord Chancellor sitting in Lincoln’s Inn Hall. Implacable November "
    "weather. Smoke lowering down from chimney-pots, making a soft black drizzle, with flakes of soot in it as big as "
    "full-grown snowflakes. Dogs, undistinguishable in mire. Horses, scarcely better; splashed to their very blinkers.",
    # with things named in a row
    "Boats, bales, barrels, ropes, tar and salt lay on the quay, and behind them the men who had brought "
    "all of it over the sea sat in the shade and said nothing, because it was too hot to talk.",
    # Blake
    "Tyger Tyger, burning bright,\nIn the forests of the night;\nWhat immortal hand or eye,\nCould frame thy fearful "
    "symmetry?",
    "He bought bread, cheese, olives, tomatoes, onions, garlic and wine.\nThen he went home.",
    "Bring a rope. Bring a lamp.\n\n1. Go down to the boat.\n2. Tie it to the stone.\n3. Wait until they call you.",
    # 李白, 权德舆, 朱自清, 鲁迅 (twice), and a market
    "床前明月光，疑是地上霜。\n举头望明月，低头思故乡。",
    "昨夜裙带解，今朝蟢子飞。\n铅华不可弃，莫是藁砧归。",
    "盼望着，盼望着，东风来了，春天的脚步近了。一切都像刚睡醒的样子，欣欣然张开了眼。山朗润起来了，水涨起来了，太阳的脸红起来了。",
    "我冒了严寒，回到相隔二千余里，别了二十余年的故乡去。时候既然是深冬；渐近故乡时，天气又阴晦了，冷风吹进船舱中，呜呜的响。",
    "不必说碧绿的菜畦，光滑的石井栏，高大的皂荚树，紫红的桑椹；也不必说鸣蝉在树叶里长吟，肥胖的黄蜂伏在菜花上。",
    "集市上有白菜、萝卜、豆腐、鲜鱼和活鸡，人们一边挑选，一边和摊主聊天，孩子们在摊位之间跑来跑去。",
]  # fmt: skip


@pytest.mark.parametrize("text", WRITTEN_LISTS + OTHER_LISTS)
def test_items_in_a_row_are_a_list_of_words(text: str) -> None:
    assert is_word_list(text)


@pytest.mark.parametrize("text", [*WRITTEN_TEXTS, *GOOD_TEXTS, "", " \n", "42", "!!!", "城市"])
def test_prose_verse_and_steps_are_none(text: str) -> None:
    assert not is_word_list(text)
