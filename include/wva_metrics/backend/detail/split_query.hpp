// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/chunk_size_limit.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/promql/chunk.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>

namespace wva_metrics::detail {

/// True if a smaller query may succeed.
template <typename T>
bool is_too_large(const Result<T>& answer) noexcept {
    return answer.has_error() &&
           (answer.error().is(Errc::too_costly) || answer.error().is(Errc::too_large));
}

/// Sends the queries of a chunk by `fetch->fetch(chunk)`. If the server rejects them for their size,
/// queries the halves instead, one after the other. What fails otherwise goes to
/// `fetch->fail(chunk, error)`, and the sizes to `fetch->outcomes`.
///
/// Holds `fetch`: if an execution context is destroyed, this and the coroutine that awaits it are
/// destroyed unfinished, and nothing should depend on their order.
template <typename Fetch, typename Of>
boost::asio::awaitable<void> query_or_split(std::shared_ptr<Fetch> fetch, promql::Chunk<Of> chunk) {
    const Result<void> answer = co_await fetch->fetch(chunk);
    if (answer.has_value()) {
        fetch->outcomes.add_answered(chunk.size());
        co_return;
    }
    if (is_too_large(answer)) {
        fetch->outcomes.add_rejected(chunk.size());
        if (const auto halves = promql::split(chunk)) {
            co_await query_or_split(fetch, halves->first);
            co_await query_or_split(fetch, halves->second);
            co_return;
        }
    }
    fetch->fail(chunk, answer.error());
}

} // namespace wva_metrics::detail
