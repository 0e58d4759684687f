"""A real llama.cpp server on loopback, by default with a model that generates random letters."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gguf
import httpx
import numpy as np
import numpy.typing as npt
import xllamacpp

from openclaw_stream.embedded.server import free_port

MODEL = "letters"
CONTEXT = 32_768
START_SECONDS = 60
Tensor = npt.NDArray[np.float32]

_WIDTH = 64
_SPECIAL = ["<start>", "<end>"]


@contextmanager
def llama_cpp(folder: Path) -> Iterator[str]:
    """Run the server with the model MODEL; yields its base URL, which ends in /v1."""
    model = folder / f"{MODEL}.gguf"
    write_model(model)
    with serving(model, folder, CONTEXT) as url:
        yield url


@contextmanager
def serving(model: Path, folder: Path, context: int) -> Iterator[str]:
    """Run the server as a child; yields its base URL, which ends in /v1.

    Args:
        model: A GGUF file.
        folder: Where the server writes its log.
        context: Its context window in tokens.
    """
    port = free_port()
    command = [sys.executable, "-m", __name__, str(model), str(port), str(context)]
    with (folder / "llama.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as child:
        try:
            _wait(child, f"http://127.0.0.1:{port}/health", folder / "llama.log")
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            child.kill()


def write_model(path: Path) -> None:
    """Write a model whose next token is independent of the prompt: all embeddings are equal, and attention is zero."""
    tokens = [*_byte_tokens(), *_SPECIAL]
    kinds = [gguf.TokenType.NORMAL] * 256 + [gguf.TokenType.CONTROL] * len(_SPECIAL)
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(_WIDTH)
    writer.add_head_count(1)
    writer.add_head_count_kv(1)
    writer.add_rope_dimension_count(_WIDTH)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([f"{tokens[0]} {tokens[1]}"])  # the file format requires one; it forms no existing token
    writer.add_bos_token_id(256)
    writer.add_eos_token_id(257)
    writer.add_add_bos_token(False)  # noqa: FBT003, the writer's own signature
    for name, tensor in _tensors(len(tokens)).items():
        writer.add_tensor(f"{name}.weight", tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _tensors(size: int) -> dict[str, Tensor]:
    zeros, ones = np.zeros((_WIDTH, _WIDTH), np.float32), np.ones(_WIDTH, np.float32)
    block: dict[str, Tensor] = {f"blk.0.{name}": zeros for name in ("attn_q", "attn_k", "attn_v", "attn_output")}
    block |= {f"blk.0.{name}": zeros for name in ("ffn_gate", "ffn_up", "ffn_down")}
    block |= {"blk.0.attn_norm": ones, "blk.0.ffn_norm": ones}
    # The norm of a vector of ones is itself, so a row of x / width has the logit x.
    logits = np.full(size, -12.0, np.float32)
    logits[[ord(letter) for letter in "abcdefghijklmnopqrstuvwxyz0123456789"]] = 0.0
    logits[[ord(sign) for sign in '"]}']] = 1.5
    output = np.repeat(logits[:, None] / _WIDTH, _WIDTH, axis=1).astype(np.float32)
    return {"token_embd": np.ones((size, _WIDTH), np.float32), "output": output, "output_norm": ones, **block}


def _byte_tokens() -> list[str]:
    """Return the token of each byte in GPT-2's vocabulary: printable bytes as themselves, others from U+0100 on."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) if byte in printable else chr(256 + hidden.index(byte)) for byte in range(256)]


def _wait(child: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and child.poll() is None:
        try:
            if httpx.get(url).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise RuntimeError(f"the llama.cpp server did not start: {log.read_text(errors='replace')[-2000:]}")


def serve(model: Path, port: int, context: int) -> None:
    """Serve until killed, or until the parent process ends."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.model_alias = [model.stem]
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = port
    parameters.n_ctx = context
    parameters.n_parallel = 1
    parameters.n_gpu_layers = 0
    parameters.warmup = False
    parameters.sampling.seed = 7
    # More threads than free cores wait for each other: on a busy machine two were forty times slower than one.
    parameters.cpuparams.n_threads = 1
    parameters.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(parameters)
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(0.2)
    del server


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
