"""Reads and writes header blocks with the package `hpack`.

Standard input is a list of connections, as JSON; standard output is a list with the results of their steps. A step is one of
{"maxTableBytes": n}, a SETTINGS_HEADER_TABLE_SIZE that both sides know;
{"block": hex}, whose result is a list of fields [name, value, isSensitive], or null if it is refused, which ends the connection;
{"fields": [...]}, whose result is a block.
Names and values are latin1.
"""

import json
import sys

from hpack import Decoder, Encoder, HeaderTuple, HPACKError, NeverIndexedHeaderTuple

NO_LIMIT = 2**31 - 1


def read_block(decoder, block):
    try:
        fields = decoder.decode(bytes.fromhex(block), raw=True)
    except HPACKError:
        return None
    return [[name.decode("latin1"), value.decode("latin1"), not field.indexable] for field in fields for name, value in [field]]


def write_block(encoder, fields, huffman):
    tuples = [
        (NeverIndexedHeaderTuple if is_sensitive else HeaderTuple)(name.encode("latin1"), value.encode("latin1"))
        for name, value, is_sensitive in fields
    ]
    return encoder.encode(tuples, huffman=huffman).hex()


def run(steps):
    decoder, encoder = Decoder(max_header_list_size=NO_LIMIT), Encoder()
    results = []
    for step in steps:
        if "maxTableBytes" in step:
            decoder.max_allowed_table_size = step["maxTableBytes"]
            encoder.header_table_size = min(step["maxTableBytes"], 4096)
            results.append(None)
        elif "fields" in step:
            results.append(write_block(encoder, step["fields"], step["huffman"]))
        else:
            results.append(read_block(decoder, step["block"]))
            if results[-1] is None:
                break
    return results


json.dump([run(steps) for steps in json.load(sys.stdin)], sys.stdout)
