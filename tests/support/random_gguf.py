#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes GGUF files with random weights and a working byte-level BPE tokenizer.

Real files for loaders, tokenizers, batching, prefix sharing and speed, with nothing to download; what such a model says
means nothing. Python's standard library only; equal arguments give equal bytes.

    random_gguf.py tiny f32 model.gguf [--seed N]

Sizes: tiny (1.5 M parameters), small (15 M), medium (135 M), of the llama architecture; recurrent, of the mamba
architecture, and hybrid, of the jamba architecture (2 M each). GGUF version 3, see the ggml repository's docs/gguf.md.
"""
import argparse
import array
import itertools
import random
import statistics
import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    layers: int
    width: int
    heads: int
    key_heads: int
    hidden: int
    vocabulary: int
    context: int
    architecture: str = "llama"
    recurrent_layers: tuple = ()  # numbers of those that keep a state in place of keys and values

    @property
    def inner(self):
        """Width of a recurrent layer's state-space part."""
        return 2 * self.width


SHAPES = {
    "tiny": Shape(2, 256, 4, 2, 512, 512, 4096),
    "small": Shape(8, 256, 4, 2, 1024, 24576, 8192),
    "medium": Shape(30, 576, 9, 3, 1536, 49152, 8192),
    "recurrent": Shape(3, 256, 0, 0, 0, 512, 4096, "mamba", (0, 1, 2)),
    "hybrid": Shape(3, 256, 4, 2, 512, 512, 4096, "jamba", (0, 2)),
}
STATE_SIZE, CONVOLUTION, RANK = 16, 4, 16  # of recurrent layers

# Value types of GGUF's metadata.
UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
F32, F16 = 0, 1
ALIGNMENT = 32
SPECIAL_TOKENS = ["<|endoftext|>", "<|begin|>", "<|end|>"]


def visible_bytes():
    """The 256 byte symbols of byte-level BPE: printable Latin-1 characters stand for themselves, others are moved up."""
    kept = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    table = {byte: chr(byte) for byte in kept}
    moved = (byte for byte in range(256) if byte not in table)
    table.update({byte: chr(256 + i) for i, byte in enumerate(moved)})
    return [table[byte] for byte in range(256)]


def make_vocabulary(size):
    """`size` tokens and the merges that build them: letter pairs, triples and quadruples, frequent letters first."""
    symbols = visible_bytes()
    space = symbols[0x20]
    tokens = SPECIAL_TOKENS + symbols
    known = set(tokens)
    merges = []
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    pairs = sorted(itertools.product(letters, repeat=2), key=lambda p: letters.index(p[0]) + letters.index(p[1]))
    candidates = itertools.chain(
        ((space, a) for a in letters),
        ((a, b) for a, b in pairs),
        ((space + a, b) for a, b in pairs),
        ((a + b, c) for a, b in pairs for c in letters),
        ((a + b, c + d) for a, b in pairs for c, d in pairs),
    )
    for left, right in candidates:
        if len(tokens) >= size:
            break
        if left + right in known or left not in known or right not in known:
            continue
        known.add(left + right)
        tokens.append(left + right)
        merges.append(f"{left} {right}")
    if len(tokens) != size:
        raise SystemExit(f"cannot make {size} tokens")
    return tokens, merges


def packed_string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def metadata(key, kind, value, element=None):
    head = packed_string(key) + struct.pack("<I", kind)
    if kind == STRING:
        return head + packed_string(value)
    if kind == ARRAY:
        body = b"".join(map(packed_string, value)) if element == STRING else array.array("i", value).tobytes()
        return head + struct.pack("<IQ", element, len(value)) + body
    return head + struct.pack({UINT32: "<I", INT32: "<i", FLOAT32: "<f", BOOL: "<?"}[kind], value)


def describe_layers(shape):
    def entry(key, kind, value, element=None):
        return metadata(f"{shape.architecture}.{key}", kind, value, element)

    yield entry("vocab_size", UINT32, shape.vocabulary)
    yield entry("context_length", UINT32, shape.context)
    yield entry("embedding_length", UINT32, shape.width)
    yield entry("block_count", UINT32, shape.layers)
    yield entry("feed_forward_length", UINT32, shape.hidden)
    if shape.architecture == "llama":
        yield entry("rope.dimension_count", UINT32, shape.width // shape.heads)
        yield entry("rope.freq_base", FLOAT32, 10000.0)
    yield entry("attention.head_count", UINT32, shape.heads)
    if shape.architecture == "jamba":
        key_heads = [0 if layer in shape.recurrent_layers else shape.key_heads for layer in range(shape.layers)]
        yield entry("attention.head_count_kv", ARRAY, key_heads, INT32)
    else:
        yield entry("attention.head_count_kv", UINT32, shape.key_heads)
    yield entry("attention.layer_norm_rms_epsilon", FLOAT32, 1e-5)
    if shape.recurrent_layers:
        yield entry("ssm.conv_kernel", UINT32, CONVOLUTION)
        yield entry("ssm.inner_size", UINT32, shape.inner)
        yield entry("ssm.state_size", UINT32, STATE_SIZE)
        yield entry("ssm.time_step_rank", UINT32, RANK)


def describe(shape, name, file_type):
    tokens, merges = make_vocabulary(shape.vocabulary)
    kinds = [3] * len(SPECIAL_TOKENS) + [1] * (len(tokens) - len(SPECIAL_TOKENS))  # control, normal
    return [
        metadata("general.architecture", STRING, shape.architecture),
        metadata("general.name", STRING, name),
        metadata("general.file_type", UINT32, file_type),
        metadata("general.alignment", UINT32, ALIGNMENT),
        *describe_layers(shape),
        metadata("tokenizer.ggml.model", STRING, "gpt2"),
        metadata("tokenizer.ggml.pre", STRING, "gpt-2"),
        metadata("tokenizer.ggml.tokens", ARRAY, tokens, STRING),
        metadata("tokenizer.ggml.token_type", ARRAY, kinds, INT32),
        metadata("tokenizer.ggml.merges", ARRAY, merges, STRING),
        metadata("tokenizer.ggml.bos_token_id", UINT32, 0),
        metadata("tokenizer.ggml.eos_token_id", UINT32, 0),
        metadata("tokenizer.ggml.padding_token_id", UINT32, 0),
        metadata("tokenizer.ggml.add_bos_token", BOOL, False),
    ]


ONES = (1.0,)


def recurrent_tensors(shape, block):
    """A state-space layer. What it forgets by depends on the token, so its state depends on all tokens and their order."""
    narrow, inner = shape.width**-0.5, shape.inner
    yield block + "ssm_in.weight", (shape.width, 2 * inner), narrow
    yield block + "ssm_conv1d.weight", (CONVOLUTION, inner), (0.2, -0.4, 0.6, 0.8)
    yield block + "ssm_conv1d.bias", (inner,), (0.0,)
    yield block + "ssm_x.weight", (inner, RANK + 2 * STATE_SIZE), 2 * inner**-0.5
    if shape.architecture == "jamba":
        for part, size in (("dt", RANK), ("b", STATE_SIZE), ("c", STATE_SIZE)):
            yield f"{block}ssm_{part}_norm.weight", (size,), ONES
    yield block + "ssm_dt.weight", (RANK, inner), RANK**-0.5
    yield block + "ssm_dt.bias", (inner,), (-4.0, -3.0, -2.0)
    yield block + "ssm_a", (STATE_SIZE, inner), tuple(-1.0 - i for i in range(STATE_SIZE))
    yield block + "ssm_d", (inner,), ONES
    yield block + "ssm_out.weight", (inner, shape.width), 2 * inner**-0.5


def attention_tensors(shape, block):
    width, narrow = shape.width, shape.width**-0.5
    keys = width // shape.heads * shape.key_heads
    yield block + "attn_q.weight", (width, width), narrow
    yield block + "attn_k.weight", (width, keys), narrow
    yield block + "attn_v.weight", (width, keys), narrow
    yield block + "attn_output.weight", (width, width), narrow


def tensors(shape):
    """(name, dimensions fastest first, standard deviation, or float32 values that are repeated). The output layer is the
    embedding's."""
    width, hidden = shape.width, shape.hidden
    yield "token_embd.weight", (width, shape.vocabulary), 0.04
    for layer in range(shape.layers):
        block = f"blk.{layer}."
        yield block + "attn_norm.weight", (width,), ONES
        yield from (recurrent_tensors if layer in shape.recurrent_layers else attention_tensors)(shape, block)
        if hidden == 0:
            continue
        yield block + "ffn_norm.weight", (width,), ONES
        yield block + "ffn_gate.weight", (width, hidden), width**-0.5
        yield block + "ffn_up.weight", (width, hidden), width**-0.5
        yield block + "ffn_down.weight", (hidden, width), hidden**-0.5
    yield "output_norm.weight", (width,), ONES


def random_halves(count, deviation, seed):
    """`count` half-precision numbers, nearly normal: the high byte is a quantile's, the low byte uniform. Fast."""
    normal = statistics.NormalDist(0, deviation)
    high = bytes(struct.pack("<e", normal.inv_cdf((i + 0.5) / 256))[1] for i in range(256))
    raw = random.Random(seed).randbytes(2 * count)
    data = bytearray(raw)
    data[1::2] = raw[1::2].translate(high)
    return bytes(data)


def tensor_bytes(dimensions, deviation, seed, file_type):
    count = dimensions[0] * (dimensions[1] if len(dimensions) > 1 else 1)
    if isinstance(deviation, tuple):
        return array.array("f", (deviation * (count // len(deviation) + 1))[:count]).tobytes()
    halves = random_halves(count, deviation, seed)
    if file_type == F16:
        return halves
    floats = array.array("f")
    for start in range(0, count, 1 << 18):
        part = halves[2 * start : 2 * min(count, start + (1 << 18))]
        floats.extend(struct.unpack(f"<{len(part) // 2}e", part))
    return floats.tobytes()


def padding(size):
    return -size % ALIGNMENT


def write(path, shape, file_type, name, seed):
    entries = describe(shape, name, file_type)
    wanted = list(tensors(shape))
    infos, offset = [], 0
    for tensor, dimensions, deviation in wanted:
        kind = F32 if isinstance(deviation, tuple) else file_type
        count = dimensions[0] * (dimensions[1] if len(dimensions) > 1 else 1)
        infos.append(
            packed_string(tensor)
            + struct.pack(f"<I{len(dimensions)}QIQ", len(dimensions), *dimensions, kind, offset)
        )
        size = count * (4 if kind == F32 else 2)
        offset += size + padding(size)
    with open(path, "wb") as out:
        out.write(b"GGUF" + struct.pack("<IQQ", 3, len(wanted), len(entries)))
        out.write(b"".join(entries) + b"".join(infos))
        out.write(b"\0" * padding(out.tell()))
        for tensor, dimensions, deviation in wanted:
            data = tensor_bytes(dimensions, deviation, f"{seed}:{tensor}", file_type)
            out.write(data + b"\0" * padding(len(data)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("size", choices=SHAPES)
    parser.add_argument("type", choices=["f16", "f32"])
    parser.add_argument("file")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    file_type = F16 if arguments.type == "f16" else F32
    name = f"random {arguments.size} {arguments.seed}"
    write(arguments.file, SHAPES[arguments.size], file_type, name, arguments.seed)


if __name__ == "__main__":
    main()
