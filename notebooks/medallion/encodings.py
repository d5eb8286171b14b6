"""From the bytes of a landed file to text: no encoding loses a row, and none is taken for another without need."""

from pyspark.sql import Column
from pyspark.sql import functions as F

BYTE_ORDER_MARK = "\ufeff"
NO_TEXT = "\x00"
"""No text has it; UTF-16 that is not known as such has it at every other place."""
_UTF_16 = (
    r"^(?:\xFF\xFE(?:[\s\S][\x00-\xD7\xE0-\xFF]|[\s\S][\xD8-\xDB][\s\S][\xDC-\xDF])*+"
    r"|\xFE\xFF(?:[\x00-\xD7\xE0-\xFF][\s\S]|[\xD8-\xDB][\s\S][\xDC-\xDF][\s\S])*+)$"
)
"""Bytes, one a character, that are UTF-16 with its mark: an engine's decoder would end the run at anything else.
`*+`: Java would otherwise go one call deeper with each character."""
_WINDOWS_1252 = {
    code: character for code in range(0x80, 0xA0) if (character := bytes([code]).decode("cp1252", "ignore"))
}
"""What Windows writes where Latin-1 has control characters, by code."""


def text_of(content: str) -> Column:
    """UTF-8, else UTF-16 with its mark, else each byte as one character: no encoding loses a row."""
    each_byte = F.decode(content, "ISO-8859-1")
    utf16 = F.when(each_byte.rlike(_UTF_16), F.decode(content, "UTF-16"))
    return F.ltrim(F.coalesce(F.try_validate_utf8(content), utf16, each_byte), F.lit(BYTE_ORDER_MARK))


def is_utf(content: str) -> Column:
    """Whether the text is one of Unicode, and not of bytes."""
    utf16 = F.decode(content, "ISO-8859-1").rlike(_UTF_16)
    return F.when(F.try_validate_utf8(content).isNotNull(), True).otherwise(utf16)


def decoded(piece: Column) -> Column:
    """A piece of a text. One of a file that is not UTF as a whole is UTF-8 if it can be, else Windows-1252: a byte that
    is wrong spoils the record that it stands in, and no other."""
    bytes_of_it = F.encode(piece, "ISO-8859-1")
    codes, characters = "".join(map(chr, _WINDOWS_1252)), "".join(_WINDOWS_1252.values())
    text = F.coalesce(F.try_validate_utf8(bytes_of_it), F.translate(piece, codes, characters))
    return F.when(F.col("_is_utf"), piece).otherwise(F.ltrim(text, F.lit(BYTE_ORDER_MARK)))
