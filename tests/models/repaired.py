"""Writes texts as CLIP's own code cleans them before it splits them into words, to repaired.json: `python repaired.py`, with ftfy.

OpenAI's `simple_tokenizer.py` and OpenCLIP's: `ftfy.fix_text`, `html.unescape` twice, single spaces. Texts that were decoded wrongly,
which only ftfy can repair, are not among them.
"""

import html
import json
import re
from pathlib import Path

import ftfy

PATTERNS = [
    "a {} in the night", "{}", "two {0} and {0}", "  {}\t of \n nothing", "“{}”", "the king’s {}", "‘{}’ — „so‟", "{}&nbsp;and&nbsp;more",
    "&lt;{}&gt; &amp;amp; &quot;so&quot;", "<b>{} &amp; &ldquo;tag&rdquo;", "\ufeff{}\u200b\x07", "{}…", "\x1b[31m{}\x1b[0m",
]
WORDS = [
    "ﬁne ligature", "oﬀer of ﬂuﬃ waﬄes", "ﬅ and ﬆ", "ĳsvrij Ĳ", "ŉ", "Ǆ ǅ ǆ Ǉ ǈ ǉ Ǌ ǋ ǌ Ǳ ǲ ǳ", "ＦＵＬＬ　ｗｉｄｔｈ！", "ｶﾞｷﾞﾊﾟ", "￥１００￠", "nai\u0308ve cafe\u0301",
    "Å Å", "한글 \u1112\u1161\u11ab", "½ ² ①", "don’t", "rock ʼn’ roll", "quo\u201bted\u201f", "soft\u00adhyphen", "zero\u200dwidth", "line\u2028and\u2029s",
    "\u206abidi\u206f", "\ufff9x\ufffb", "P&eacute;rez", "P&EACUTE;REZ", "&copy 2020 &notit;", "&#8220;num&#x201d;", "&#150; &#x80; &#0;", "&hellip;",
    "&bogus; & &# &#x; &;", "AT&T", "a&b=c&para=d", "fish &amp; chips", "fish &amp;amp; chips", "3 &lt; 4", "1 < 2 &amp; 3", "e\u0301\u0301", "emoji 🐱❤️",
    "東京の夜景", "красная", "plain words", "tab\tand\rreturn\r\nend", "it's \"fine\"",
]


def cleaned(text):
    text = html.unescape(html.unescape(ftfy.fix_text(text))).strip()
    return re.sub(r"\s+", " ", text).strip()


texts = [pattern.format(word) for pattern in PATTERNS for word in WORDS]
rows = ",\n".join(json.dumps([text, cleaned(text)], ensure_ascii=True) for text in texts)
Path(__file__).with_name("repaired.json").write_text(f"[\n{rows}\n]\n")
print(len(texts), sum(text != cleaned(text) for text in texts))
