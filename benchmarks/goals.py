"""What `make bench` is to find, and what each figure should be. One name a figure, the same in the JSON and in
results.md."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.figure import Figure


@dataclass(frozen=True, slots=True)
class Goal:
    """`number` is to be reached, or not to be exceeded where `at_most` is set."""

    number: float
    means: str
    at_most: bool = False

    def met(self, found: Figure) -> bool:
        return found.median <= self.number if self.at_most else found.median >= self.number

    def __str__(self) -> str:
        return f"{'<=' if self.at_most else '>='} {self.number:g}"


GOALS = {
    "one_stream_vs_generate": Goal(4, "one stream, --weights auto, against model.generate() in bf16"),
    "one_stream_vs_llama_cpp": Goal(1, "the same against llama.cpp in BF16, 2 threads"),
    "sixteen_vs_generate": Goal(10, "16 sessions at once against one after the other by model.generate()"),
    "newcomer_steps": Goal(3, "a newcomer's wait beside 15 streams, its own prefill left out, in steps", at_most=True),
    "beside_heavy_s": Goal(3, "seconds to a visitor's first token beside beams and prompts of 8,000", at_most=True),
    "stop_heavy_s": Goal(1, "seconds from Stop to the end of each of these", at_most=True),
    "client_share_1": Goal(0.95, "tokens/s that reach one HTTP client, of those the engine makes alone"),
    "client_share_16": Goal(0.75, "the same with 16 clients on the same cores"),
    "sampling_share": Goal(0.2, "of a step of 16 rows with top_p, what is not the model", at_most=True),
    "second_start_s": Goal(12, "seconds from start to first token over HTTP, second start", at_most=True),
    "first_start_share": Goal(0.6, "slowest of the first three answers of a first start, by the eager speed"),
    "second_start_share": Goal(0.9, "slowest of the first three answers of a second start, by full speed"),
    "memory_ready_mb": Goal(800, "resident memory of a ready server with the embedded model, MB", at_most=True),
    "memory_loaded_mb": Goal(1200, "the same under 16 sessions, beside kept logits, keys and values", at_most=True),
    "memory_after_ratio": Goal(1.1, "memory after that load by what it was before", at_most=True),
    "auto_kl_ratio": Goal(1.5, "nats a token that auto is from fp32 (KL), by those that plain bf16 is", at_most=True),
    "auto_perplexity_ratio": Goal(1.005, "perplexity of auto by that of fp32", at_most=True),
    "trace_overhead": Goal(0.15, "what telling every stage adds to a run, as a share of it", at_most=True),
    "replay_256_ms": Goal(300, "256 tokens decided again, ms; spread over all kinds of knobs", at_most=True),
}
