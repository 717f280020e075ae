// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace wva_metrics::prometheus::detail {

/// An error of a server that is known by the beginning of its text.
struct KnownError {
    /// How the cause begins; for Mimir, the id.
    std::string_view begin;
    /// `too_costly`: a limit that a smaller query can satisfy. `unavailable`: it may pass.
    Errc code = Errc::unavailable;
    /// The settings of the server that can be changed; may be empty.
    std::string_view limit{};
};

/// Texts that begin a cause. They are written in the servers' sources, so that no name of a model
/// or a pod can occur in them.
inline constexpr std::array known_errors{
    // Prometheus, promql/engine.go (ErrTooManySamples, ErrQueryTimeout, ErrQueryCanceled) and
    // storage/remote/codec.go (remote read). Thanos, Mimir and Cortex use the same engine.
    KnownError{"query processing would load too many samples", Errc::too_costly,
               "--query.max-samples (Mimir, Cortex: -querier.max-samples)"},
    KnownError{"query timed out in ", Errc::unavailable},
    KnownError{"query was canceled in ", Errc::unavailable},
    KnownError{"exceeded sample limit (", Errc::too_costly, "--storage.remote.read-sample-limit"},

    // gRPC, google.golang.org/grpc/status: `rpc error: code = ... desc = ...`; Thanos,
    // pkg/store/proxy.go and bucket.go, Mimir and Cortex pass it on in the text of a 422 or 500.
    KnownError{"code = ResourceExhausted", Errc::too_costly,
               "the limits of the stores (Thanos: --store.limits.*)"},
    KnownError{"code = DeadlineExceeded", Errc::unavailable},
    KnownError{"code = Unavailable", Errc::unavailable},
    KnownError{"code = Aborted", Errc::unavailable},
    KnownError{"code = Canceled", Errc::unavailable},

    // Thanos, pkg/store/limiter.go and bucket.go, also in Cortex' store gateway. Older versions send
    // them with the code Aborted.
    KnownError{"failed to send series: limit ", Errc::too_costly, "--store.limits.request-series"},
    KnownError{"failed to send samples: limit ", Errc::too_costly,
               "--store.limits.request-samples"},
    KnownError{"exceeded series limit", Errc::too_costly,
               "--store.limits.request-series (older: --store.grpc.touched-series-limit)"},
    KnownError{"exceeded chunks limit", Errc::too_costly,
               "--store.limits.request-samples (older: --store.grpc.series-sample-limit)"},
    KnownError{"exceeded bytes limit", Errc::too_costly, "--store.grpc.downloaded-bytes-limit"},
    KnownError{"bytes limit exceeded while fetching ", Errc::too_costly,
               "--store.grpc.downloaded-bytes-limit"},

    // Cortex, pkg/util/limiter/query_limiter.go, and Mimir before its errors had ids.
    KnownError{"the query hit the ", Errc::too_costly, "-querier.max-fetched-*-per-query"},

    // VictoriaMetrics, app/vmselect/{prometheus/prometheus.go, promql/eval.go,
    // netstorage/netstorage.go, main.go} and lib/storage/index_db.go.
    KnownError{"too long query; got ", Errc::too_costly, "-search.maxQueryLen"},
    KnownError{"cannot select more than -search.maxSamplesPerQuery", Errc::too_costly,
               "-search.maxSamplesPerQuery"},
    KnownError{"the number of matching timeseries exceeds ", Errc::too_costly,
               "-search.maxUniqueTimeseries or -search.maxExportSeries"},
    KnownError{"the number of matching unique timeseries exceeds ", Errc::too_costly,
               "-search.maxUniqueTimeseries"},
    KnownError{"the response contains more than -search.maxResponseSeries", Errc::too_costly,
               "-search.maxResponseSeries"},
    KnownError{"not enough memory for processing ", Errc::too_costly,
               "-search.maxMemoryPerQuery or the server's memory"},
    KnownError{"timeout exceeded ", Errc::unavailable},
    KnownError{"cannot handle more than ", Errc::unavailable},
    KnownError{"couldn't start executing the request in ", Errc::unavailable},

    // Go's packages context, net, syscall and io. Any of these servers, Prometheus included, sends
    // them with the status 422.
    KnownError{"context deadline exceeded", Errc::unavailable},
    KnownError{"context canceled", Errc::unavailable},
    KnownError{"connection refused", Errc::unavailable},
    KnownError{"connection reset by peer", Errc::unavailable},
    KnownError{"i/o timeout", Errc::unavailable},
    KnownError{"no such host", Errc::unavailable},
    KnownError{"unexpected EOF", Errc::unavailable},
};

/// Mimir, pkg/util/globalerror/user.go: the ids are constant, and written as `(err-mimir-<id>)`.
/// The flags are in pkg/util/validation/limits.go. The limits of a query's time range are not here:
/// no smaller set of models satisfies them.
inline constexpr std::array mimir_errors{
    KnownError{"max-chunks-per-query)", Errc::too_costly, "-querier.max-fetched-chunks-per-query"},
    KnownError{"max-series-per-query)", Errc::too_costly, "-querier.max-fetched-series-per-query"},
    KnownError{"max-chunks-bytes-per-query)", Errc::too_costly,
               "-querier.max-fetched-chunk-bytes-per-query"},
    KnownError{"max-estimated-chunks-per-query)", Errc::too_costly,
               "-querier.max-estimated-fetched-chunks-per-query-multiplier"},
    KnownError{"max-estimated-memory-consumption-per-query)", Errc::too_costly,
               "-querier.max-estimated-memory-consumption-per-query"},
    KnownError{"max-query-expression-size-bytes)", Errc::too_costly,
               "-query-frontend.max-query-expression-size-bytes"},
    KnownError{"ingester-max-inflight-read-requests)", Errc::unavailable},
    KnownError{"tenant-max-request-rate)", Errc::unavailable},
    KnownError{"query-limited)", Errc::unavailable},
    KnownError{"store-consistency-check-failed)", Errc::unavailable},
    KnownError{"bucket-index-too-old)", Errc::unavailable},
};

/// Go's regular expressions, regexp/syntax (ErrNestingDepth, ErrLarge). Hundreds of model ids with
/// a common prefix can exceed these limits, which cannot be changed.
inline constexpr std::array regexp_errors{
    KnownError{"expression nests too deeply", Errc::too_costly},
    KnownError{"expression too large", Errc::too_costly},
};

/// The first of the errors with which the text begins; null if there is none.
template <std::size_t Count>
constexpr const KnownError* find_begin(const std::array<KnownError, Count>& errors,
                                       std::string_view text) noexcept {
    const auto found = std::find_if(errors.begin(), errors.end(), [&](const KnownError& error) {
        return text.starts_with(error.begin);
    });
    return found == errors.end() ? nullptr : &*found;
}

/// The position behind a quoted text that begins at `at`: `"..."` as Go's %q writes it, or
/// `` `...` ``. The end of the text if the quote is not closed.
constexpr std::size_t skip_quoted(std::string_view text, std::size_t at) noexcept {
    const char quote = text[at];
    for (++at; at < text.size() && text[at] != quote; ++at) {
        if (quote == '"' && text[at] == '\\')
            ++at;
    }
    return std::min(at + 1, text.size());
}

/// Finds the innermost known cause in the text of an error; null if there is none.
///
/// Go programs wrap errors as `what failed: cause`, and gRPC writes `code = ... desc = cause`. So a
/// known text counts only where a cause begins. Quoted text is skipped because it may be a part of
/// the query, and so may contain any words. A text about a query that cannot be parsed is not
/// searched further, for the same reason.
constexpr const KnownError* find_known_error(std::string_view text) noexcept {
    constexpr std::string_view mimir_prefix = "(err-mimir-";
    constexpr std::string_view regexp_prefix = "error parsing regexp: ";
    constexpr std::string_view parse_prefix = "parse error: ";
    const KnownError* innermost = nullptr;
    bool begins_cause = true;
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view rest = text.substr(at);
        if (rest[0] == '"' || rest[0] == '`') {
            at = skip_quoted(text, at);
            begins_cause = false;
            continue;
        }
        if (begins_cause) {
            if (rest.starts_with(regexp_prefix))
                return find_begin(regexp_errors, rest.substr(regexp_prefix.size()));
            if (rest.starts_with(parse_prefix) &&
                !rest.substr(parse_prefix.size()).starts_with(regexp_prefix))
                return nullptr;
            if (const KnownError* const known = find_begin(known_errors, rest))
                innermost = known;
        }
        if (rest.starts_with(mimir_prefix)) {
            if (const auto* const known =
                    find_begin(mimir_errors, rest.substr(mimir_prefix.size())))
                innermost = known;
        }
        ++at;
        const std::string_view before = text.substr(0, at);
        begins_cause = before.ends_with(": ") || before.ends_with(" desc = ");
    }
    return innermost;
}

} // namespace wva_metrics::prometheus::detail
