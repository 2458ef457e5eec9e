"""What providers tell about their limits, and the `QuotaHint` that it means: headers as their servers send them.

``SAMPLES`` has one for each provider, by its name in the table of providers; ``VARIANTS`` has what else some of them
send, by provider and case. Times are relative to `NOW`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from aigw.quota import Allowance, QuotaHint

NOW: Final = 1_790_000_000.0
"""2026-09-21T14:13:20Z, when all of them were sent."""


@dataclass(frozen=True, slots=True)
class Sample:
    """An answer, as far as limits go.

    Args:
        headers: its headers.
        expected: what they mean; ``None`` where the provider tells nothing.
        status: its status.
        error: the error object in its body, for what is told only there.
        retry_after: seconds that it asks to wait, as `aigw.wire.failures` finds them.
    """

    headers: Mapping[str, str]
    expected: QuotaHint | None = None
    status: int = 200
    error: Mapping[str, Any] | None = None
    retry_after: float | None = None


def told(*allowances: Allowance, retry_after: float | None = None) -> QuotaHint:
    """Return what is expected."""
    return QuotaHint(allowances, retry_after)


MINUTE: Final = 60.0
HOUR: Final = 3600.0
DAY: Final = 86400.0
MONTH: Final = 2_592_000.0

_OPENAI = Sample(
    {
        "content-type": "application/json",
        "openai-organization": "user-1",
        "openai-processing-ms": "412",
        "openai-version": "2020-10-01",
        "x-request-id": "req_1",
        "x-ratelimit-limit-requests": "10000",
        "x-ratelimit-limit-tokens": "30000000",
        "x-ratelimit-remaining-requests": "9999",
        "x-ratelimit-remaining-tokens": "29999979",
        "x-ratelimit-reset-requests": "6ms",
        "x-ratelimit-reset-tokens": "6m0s",
        "x-ratelimit-limit-project-tokens": "100000",
        "x-ratelimit-remaining-project-tokens": "99000",
        "x-ratelimit-reset-project-tokens": "1h2m3.5s",
    },
    told(
        Allowance("requests", 10_000, 9_999, 0.006),
        Allowance("tokens", 30_000_000, 29_999_979, 360.0),
        Allowance("tokens", 100_000, 99_000, 3723.5),
    ),
)

_AZURE = Sample(
    {
        "apim-request-id": "1c5d",
        "x-ms-region": "Sweden Central",
        "x-ratelimit-abusepenalty-active": "False",
        "x-ratelimit-key": "gpt-5-mini",
        "x-ratelimit-limit-requests": "2500",
        "x-ratelimit-limit-tokens": "250000",
        "x-ratelimit-remaining-requests": "2499",
        "x-ratelimit-remaining-tokens": "249993",
        "x-ratelimit-renewalperiod-requests": "60",
        "x-ratelimit-renewalperiod-tokens": "60",
        "x-ratelimit-reset-requests": "24",
        "x-ratelimit-reset-tokens": "1",
    },
    told(
        Allowance("requests", 2_500, 2_499, 24.0, MINUTE),
        Allowance("tokens", 250_000, 249_993, 1.0, MINUTE),
    ),
)

_ANTHROPIC = Sample(
    {
        "anthropic-organization-id": "0a1b",
        "anthropic-ratelimit-input-tokens-limit": "2000000",
        "anthropic-ratelimit-input-tokens-remaining": "1999000",
        "anthropic-ratelimit-input-tokens-reset": "2026-09-21T14:13:22Z",
        "anthropic-ratelimit-output-tokens-limit": "400000",
        "anthropic-ratelimit-output-tokens-remaining": "400000",
        "anthropic-ratelimit-output-tokens-reset": "2026-09-21T14:13:20Z",
        "anthropic-ratelimit-requests-limit": "4000",
        "anthropic-ratelimit-requests-remaining": "3999",
        "anthropic-ratelimit-requests-reset": "2026-09-21T14:13:19Z",
        "anthropic-ratelimit-tokens-limit": "2400000",
        "anthropic-ratelimit-tokens-remaining": "2399000",
        "anthropic-ratelimit-tokens-reset": "2026-09-21T14:13:20Z",
        "request-id": "req_1",
    },
    told(
        Allowance("input_tokens", 2_000_000, 1_999_000, 2.0, MINUTE),
        Allowance("output_tokens", 400_000, 400_000, 0.0, MINUTE),
        Allowance("requests", 4_000, 3_999, 0.0, MINUTE),
        Allowance("tokens", 2_400_000, 2_399_000, 0.0, MINUTE),
    ),
)

_GEMINI = Sample({"content-type": "application/json; charset=UTF-8", "server-timing": "gfet4t7; dur=612"})

_BEDROCK = Sample(
    {
        "x-amzn-requestid": "8f3c",
        "x-amzn-bedrock-input-token-count": "12",
        "x-amzn-bedrock-output-token-count": "34",
        "x-amzn-bedrock-invocation-latency": "512",
    }
)

_DEEPSEEK = Sample({"content-type": "application/json", "x-ds-trace-id": "9d2e"})

_MISTRAL = Sample(
    {
        "mistral-correlation-id": "019c",
        "x-kong-request-id": "019c",
        "x-ratelimit-limit-req-minute": "60",
        "x-ratelimit-limit-tokens-minute": "50000",
        "x-ratelimit-limit-tokens-month": "4000000",
        "x-ratelimit-remaining-req-minute": "59",
        "x-ratelimit-remaining-tokens-minute": "47196",
        "x-ratelimit-remaining-tokens-month": "3950246",
        "x-ratelimit-tokens-query-cost": "2804",
    },
    told(
        Allowance("requests", 60, 59, window=MINUTE),
        Allowance("tokens", 50_000, 47_196, window=MINUTE),
        Allowance("tokens", 4_000_000, 3_950_246, window=MONTH),
    ),
)

_XAI = Sample(
    {
        "x-request-id": "5e1f",
        "x-ratelimit-limit-requests": "480",
        "x-ratelimit-limit-tokens": "2000000",
        "x-ratelimit-remaining-requests": "479",
        "x-ratelimit-remaining-tokens": "1999926",
    },
    told(Allowance("requests", 480, 479), Allowance("tokens", 2_000_000, 1_999_926)),
)

_GROQ = Sample(
    {
        "x-groq-region": "fra",
        "x-request-id": "req_1",
        "x-ratelimit-limit-requests": "14400",
        "x-ratelimit-limit-tokens": "18000",
        "x-ratelimit-remaining-requests": "14370",
        "x-ratelimit-remaining-tokens": "17997",
        "x-ratelimit-reset-requests": "2m59.56s",
        "x-ratelimit-reset-tokens": "7.66s",
    },
    told(
        Allowance("requests", 14_400, 14_370, 179.56, DAY),
        Allowance("tokens", 18_000, 17_997, 7.66, MINUTE),
    ),
)

_TOGETHER = Sample(
    {
        "x-ratelimit-limit": "10",
        "x-ratelimit-remaining": "9",
        "x-ratelimit-reset": "1",
        "x-ratelimit-limit-dynamic": "2",
        "x-ratelimit-remaining-dynamic": "1",
        "x-tokenlimit-limit": "3000",
        "x-tokenlimit-remaining": "2950",
        "x-tokenlimit-limit-dynamic": "1500",
        "x-tokenlimit-remaining-dynamic": "1450",
    },
    told(
        Allowance("requests", 10, 9, 1.0, 1.0),
        Allowance("requests", 2, 1, window=1.0),
        Allowance("tokens", 3_000, 2_950, window=1.0),
        Allowance("tokens", 1_500, 1_450, window=1.0),
    ),
)

_FIREWORKS = Sample(
    {
        "fireworks-prompt-tokens": "21",
        "fireworks-server-processing-time": "0.4",
        "x-ratelimit-limit-requests": "600",
        "x-ratelimit-remaining-requests": "599",
        "x-ratelimit-over-limit": "no",
        "x-ratelimit-limit-tokens-prompt": "11250000",
        "x-ratelimit-remaining-tokens-prompt": "11249979",
        "x-ratelimit-limit-tokens-cache-adjusted-prompt": "5400000",
        "x-ratelimit-remaining-tokens-cache-adjusted-prompt": "5399979",
        "x-ratelimit-limit-tokens-generated": "216000",
        "x-ratelimit-remaining-tokens-generated": "215000",
    },
    told(
        Allowance("requests", 600, 599),
        Allowance("input_tokens", 11_250_000, 11_249_979, window=MINUTE),
        Allowance("input_tokens", 5_400_000, 5_399_979, window=MINUTE),
        Allowance("output_tokens", 216_000, 215_000, window=MINUTE),
    ),
)

_OPENROUTER = Sample(
    {
        "x-ratelimit-limit": "50",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "1790035200000",
    },
    told(Allowance("requests", 50, 0, 35_200.0)),
    status=429,
)

_COHERE = Sample(
    {
        "x-debug-trace-id": "f2dd",
        "x-endpoint-monthly-call-limit": "1000",
        "x-trial-endpoint-call-limit": "20",
        "x-trial-endpoint-call-remaining": "19",
    },
    told(Allowance("requests", 1_000, window=MONTH), Allowance("requests", 20, 19, window=MINUTE)),
)

_CEREBRAS = Sample(
    {
        "cerebras-request-id": "req_1",
        "x-ratelimit-limit-requests-day": "2400",
        "x-ratelimit-limit-requests-hour": "150",
        "x-ratelimit-limit-requests-minute": "5",
        "x-ratelimit-limit-tokens-minute": "30000",
        "x-ratelimit-remaining-requests-day": "2399",
        "x-ratelimit-remaining-requests-hour": "149",
        "x-ratelimit-remaining-requests-minute": "4",
        "x-ratelimit-remaining-tokens-minute": "29900",
        "x-ratelimit-reset-requests-day": "33011.382867",
        "x-ratelimit-reset-requests-hour": "1811.38",
        "x-ratelimit-reset-requests-minute": "11.38",
        "x-ratelimit-reset-tokens-minute": "11.38",
    },
    told(
        Allowance("requests", 2_400, 2_399, 33011.382867, DAY),
        Allowance("requests", 150, 149, 1811.38, HOUR),
        Allowance("requests", 5, 4, 11.38, MINUTE),
        Allowance("tokens", 30_000, 29_900, 11.38, MINUTE),
    ),
)

_HUGGING_FACE = Sample(
    {
        "x-request-id": "Root=1",
        "ratelimit": '"api";r=495;t=140',
        "ratelimit-policy": '"fixed window";"api";q=500;w=300',
    },
    told(Allowance("requests", 500, 495, 140.0, 300.0)),
)

_GITHUB = Sample(
    {
        "x-ratelimit-limit-requests": "20000",
        "x-ratelimit-limit-tokens": "2000000",
        "x-ratelimit-remaining-requests": "19999",
        "x-ratelimit-remaining-tokens": "1999967",
        "x-ratelimit-renewalperiod-requests": "60",
        "x-ratelimit-renewalperiod-tokens": "60",
        "x-ratelimit-reset-requests": "3",
        "x-ratelimit-reset-tokens": "0",
    },
    told(
        Allowance("requests", 20_000, 19_999, 3.0, MINUTE),
        Allowance("tokens", 2_000_000, 1_999_967, 0.0, MINUTE),
    ),
)

_CLOUDFLARE = Sample(
    {
        "cf-ray": "7fcd-FRA",
        "ratelimit": '"default";r=1197;t=300',
        "ratelimit-policy": '"default";q=1200;w=300',
    },
    told(Allowance("requests", 1_200, 1_197, 300.0, 300.0)),
)

_NOTHING = Sample({"content-type": "application/json", "date": "Mon, 21 Sep 2026 14:13:20 GMT", "server": "uvicorn"})

SAMPLES: Final[Mapping[str, Sample]] = MappingProxyType(
    {
        "openai": _OPENAI,
        "azure": _AZURE,
        "azure-content-safety": _NOTHING,
        "anthropic": _ANTHROPIC,
        "gemini": _GEMINI,
        "vertex": _GEMINI,
        "bedrock": _BEDROCK,
        "bedrock-guardrails": _BEDROCK,
        "deepseek": _DEEPSEEK,
        "mistral": _MISTRAL,
        "xai": _XAI,
        "groq": _GROQ,
        "together": _TOGETHER,
        "fireworks": _FIREWORKS,
        "openrouter": _OPENROUTER,
        "perplexity": _NOTHING,
        "cohere": _COHERE,
        "cerebras": _CEREBRAS,
        "huggingface": _HUGGING_FACE,
        "github": _GITHUB,
        "cloudflare": _CLOUDFLARE,
        "ollama": _NOTHING,
        "vllm": _NOTHING,
        "jina": _NOTHING,
        "voyage": _NOTHING,
        "sglang": _NOTHING,
        "lmstudio": _NOTHING,
        "llamacpp": _NOTHING,
    }
)
"""What each provider sends with an answer; OpenRouter tells only when it refuses."""


def _google_error(identity: str, metric: str, value: str | None, delay: str) -> dict[str, Any]:
    violation = {"quotaMetric": f"generativelanguage.googleapis.com/{metric}", "quotaId": identity}
    violation |= {} if value is None else {"quotaValue": value}
    return {
        "code": 429,
        "message": "You exceeded your current quota.",
        "status": "RESOURCE_EXHAUSTED",
        "details": [
            {"@type": "type.googleapis.com/google.rpc.Help", "links": [{"description": "Learn more"}]},
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay},
        ],
    }


VARIANTS: Final[Mapping[str, Sample]] = MappingProxyType(
    {
        "openai: unknown": Sample(
            {
                "x-ratelimit-limit-tokens": "-1",
                "x-ratelimit-remaining-tokens": "-1",
                "x-ratelimit-reset-tokens": "0",
            }
        ),
        "openai: older": Sample(
            {
                "x-ratelimit-limit-requests": "200",
                "x-ratelimit-limit-tokens": "40000",
                "x-ratelimit-limit-tokens_usage_based": "40000",
                "x-ratelimit-remaining-requests": "198",
                "x-ratelimit-remaining-tokens": "39880",
                "x-ratelimit-remaining-tokens_usage_based": "39880",
                "x-ratelimit-reset-requests": "11m32.334s",
                "x-ratelimit-reset-tokens": "180ms",
                "x-ratelimit-reset-tokens_usage_based": "180ms",
            },
            told(
                Allowance("requests", 200, 198, 692.334),
                Allowance("tokens", 40_000, 39_880, 0.18),
                Allowance("tokens", 40_000, 39_880, 0.18, scope="usage_based"),
            ),
        ),
        "azure: refused": Sample(
            {
                "retry-after": "1",
                "retry-after-ms": "900",
                "x-ratelimit-limit-requests": "5",
                "x-ratelimit-limit-tokens": "5000",
                "x-ratelimit-remaining-requests": "4",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-renewalperiod-requests": "60",
                "x-ratelimit-renewalperiod-tokens": "60",
                "x-ratelimit-reset-requests": "12",
                "x-ratelimit-reset-tokens": "0",
                "x-ratelimit-type": "Tokens",
            },
            told(
                Allowance("requests", 5, 4, 12.0, MINUTE),
                Allowance("tokens", 5_000, 0, 0.0, MINUTE),
                retry_after=0.9,
            ),
            status=429,
            retry_after=0.9,
        ),
        "azure: provisioned": Sample(
            {"azure-openai-deployment-utilization": "45.5%", "x-ms-region": "East US"},
            told(Allowance("capacity", used=0.455)),
        ),
        "anthropic: priority": Sample(
            {
                "anthropic-priority-input-tokens-limit": "10000",
                "anthropic-priority-input-tokens-remaining": "9618",
                "anthropic-priority-input-tokens-reset": "2026-09-21T14:14:19Z",
                "anthropic-priority-output-tokens-limit": "10000",
                "anthropic-priority-output-tokens-remaining": "6000",
                "anthropic-priority-output-tokens-reset": "2026-09-21T16:13:32+02:00",
            },
            told(
                Allowance("input_tokens", 10_000, 9_618, 59.0, MINUTE, scope="priority"),
                Allowance("output_tokens", 10_000, 6_000, 12.0, MINUTE, scope="priority"),
            ),
        ),
        "anthropic: fast": Sample(
            {
                "anthropic-fast-input-tokens-limit": "0",
                "anthropic-fast-input-tokens-remaining": "0",
                "anthropic-fast-input-tokens-reset": "2026-09-21T14:13:20Z",
                "anthropic-ratelimit-input-tokens-limit": "2000000",
                "anthropic-ratelimit-input-tokens-remaining": "1999000",
            },
            told(
                Allowance("input_tokens", 0, 0, 0.0, MINUTE, scope="fast"),
                Allowance("input_tokens", 2_000_000, 1_999_000, window=MINUTE),
            ),
        ),
        "anthropic: subscription": Sample(
            {
                "anthropic-ratelimit-unified-status": "allowed",
                "anthropic-ratelimit-unified-reset": "1790003600",
                "anthropic-ratelimit-unified-representative-claim": "five_hour",
                "anthropic-ratelimit-unified-5h-status": "allowed",
                "anthropic-ratelimit-unified-5h-reset": "1790003600",
                "anthropic-ratelimit-unified-5h-utilization": "0.42",
                "anthropic-ratelimit-unified-7d-reset": "1790086400",
                "anthropic-ratelimit-unified-7d-utilization": "0.3",
                "anthropic-ratelimit-unified-7d_oi-reset": "1790086400",
                "anthropic-ratelimit-unified-7d_oi-utilization": "0.13",
                "anthropic-ratelimit-unified-overage-status": "rejected",
            },
            told(
                Allowance("capacity", resets_after=3_600.0, window=5 * HOUR, used=0.42),
                Allowance("capacity", resets_after=DAY, window=7 * DAY, used=0.3),
                Allowance("capacity", resets_after=DAY, window=7 * DAY, used=0.13, scope="oi"),
            ),
        ),
        "gemini: day": Sample(
            {"content-type": "application/json; charset=UTF-8"},
            told(Allowance("requests", 20, 0, window=DAY), retry_after=26.0),
            status=429,
            error=_google_error(
                "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
                "generate_content_free_tier_requests",
                "20",
                "26s",
            ),
            retry_after=26.0,
        ),
        "gemini: minute": Sample(
            {"content-type": "application/json; charset=UTF-8"},
            told(Allowance("input_tokens", 1_000_000, 0, window=MINUTE), retry_after=12.9),
            status=429,
            error=_google_error(
                "GenerateContentPaidTierInputTokensPerModelPerMinute",
                "generate_content_paid_tier_input_token_count",
                "1000000",
                "12.9s",
            ),
            retry_after=12.9,
        ),
        "gemini: no number": Sample(
            {"content-type": "application/json; charset=UTF-8"},
            told(Allowance("requests", None, 0, window=MINUTE), retry_after=7.0),
            status=429,
            error=_google_error(
                "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
                "generate_content_free_tier_requests",
                None,
                "7s",
            ),
            retry_after=7.0,
        ),
        "mistral: refused": Sample(
            {
                "x-ratelimit-limit-req-minute": "23",
                "x-ratelimit-remaining-req-minute": "0",
            },
            told(Allowance("requests", 23, 0, window=MINUTE)),
            status=429,
        ),
        "mistral: older": Sample(
            {
                "ratelimitbysize-limit": "2000000",
                "ratelimitbysize-query-cost": "32008",
                "ratelimitbysize-remaining": "1967992",
                "ratelimitbysize-reset": "24",
                "x-ratelimitbysize-limit-minute": "2000000",
                "x-ratelimitbysize-limit-month": "10000000000",
                "x-ratelimitbysize-remaining-minute": "1967992",
                "x-ratelimitbysize-remaining-month": "9999967992",
            },
            told(
                Allowance("tokens", 2_000_000, 1_967_992, 24.0),
                Allowance("tokens", 2_000_000, 1_967_992, window=MINUTE),
                Allowance("tokens", 10_000_000_000, 9_999_967_992, window=MONTH),
            ),
        ),
        "openrouter: in the body": Sample(
            {"content-type": "application/json"},
            told(Allowance("requests", 80, 0, 60.0)),
            status=429,
            error={
                "message": "Rate limit exceeded: free-models-per-min",
                "code": 429,
                "metadata": {
                    "headers": {
                        "X-RateLimit-Limit": "80",
                        "X-RateLimit-Remaining": "0",
                        "X-RateLimit-Reset": "1790000060000",
                    }
                },
            },
        ),
        "github: refused": Sample(
            {
                "retry-after": "52220",
                "x-ratelimit-timeremaining": "52220",
                "x-ratelimit-type": "UserByModelByDay",
            },
            told(Allowance("requests", None, 0, 52_220.0, DAY), retry_after=52_220.0),
            status=429,
            retry_after=52_220.0,
        ),
        "github: too many at once": Sample(
            {
                "retry-after": "0",
                "x-ratelimit-timeremaining": "0",
                "x-ratelimit-type": "UserConcurrentRequests",
            },
            told(retry_after=0.0),
            status=429,
            retry_after=0.0,
        ),
        "draft 7": Sample(
            {
                "ratelimit": "limit=100, remaining=50, reset=30",
                "ratelimit-policy": "100;w=60, 10000;w=86400",
            },
            told(Allowance("requests", 100, 50, 30.0, MINUTE), Allowance("requests", 10_000, window=DAY)),
        ),
        "draft 6": Sample(
            {
                "ratelimit-limit": "100",
                "ratelimit-policy": "100;w=60, 10000;w=86400",
                "ratelimit-remaining": "50",
                "ratelimit-reset": "30",
            },
            told(Allowance("requests", 100, 50, 30.0, MINUTE), Allowance("requests", 10_000, window=DAY)),
        ),
        "draft 3": Sample(
            {
                "x-ratelimit-limit": "100, 100;w=60, 10000;w=86400",
                "x-ratelimit-remaining": "50",
                "x-ratelimit-reset": "30",
            },
            told(Allowance("requests", 100, 50, 30.0, MINUTE)),
        ),
        "draft 10": Sample(
            {
                "ratelimit": '"burst";r=8;t=1, "daily";r=4998;t=69076;pk=:dXNlcg==:',
                "ratelimit-policy": '"burst";q=10;w=10, "daily";q=5000;w=86400;pk=:dXNlcg==:, '
                '"bytes";q=65535;qu="content-bytes";w=10, "tokens";q=90000;qu="tokens";w=60',
            },
            told(
                Allowance("requests", 10, 8, 1.0, 10.0),
                Allowance("requests", 5_000, 4_998, 69_076.0, DAY),
                Allowance("tokens", 90_000, window=MINUTE),
            ),
        ),
        "Kong": Sample(
            {
                "x-ratelimit-limit-minute": "100",
                "x-ratelimit-remaining-minute": "99",
                "ratelimit-limit": "100",
                "ratelimit-remaining": "99",
                "ratelimit-reset": "41",
            },
            told(Allowance("requests", 100, 99, window=MINUTE), Allowance("requests", 100, 99, 41.0)),
        ),
        "Nous": Sample(
            {
                "x-ratelimit-limit-requests": "800",
                "x-ratelimit-limit-requests-1h": "33600",
                "x-ratelimit-remaining-requests": "795",
                "x-ratelimit-remaining-requests-1h": "33590",
                "x-ratelimit-reset-requests": "45.5",
                "x-ratelimit-reset-requests-1h": "3500.0",
            },
            told(Allowance("requests", 800, 795, 45.5), Allowance("requests", 33_600, 33_590, 3_500.0, HOUR)),
        ),
    }
)
"""What else they send, and what other servers send."""
