// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/promql/chunk.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace wva_metrics::promql::detail {

/// Appends a chunk, or recursively its halves if it does not fit. A chunk of one member always
/// counts as fitting.
template <typename Of, typename Fits>
void append_halves(std::vector<Chunk<Of>>& chunks, Chunk<Of> chunk, const Fits& fits) {
    const auto halves = split(chunk);
    if (!halves || fits(chunk)) {
        chunks.push_back(chunk);
        return;
    }
    append_halves(chunks, halves->first, fits);
    append_halves(chunks, halves->second, fits);
}

/// Divides `count` members into the fewest chunks of at most `max_count`, of nearly equal sizes. A
/// chunk that does not fit is halved until it does.
template <typename Of, typename Fits>
std::vector<Chunk<Of>> make_chunks(std::size_t count, std::size_t max_count, const Fits& fits) {
    std::vector<Chunk<Of>> chunks;
    const std::size_t limit = std::max<std::size_t>(max_count, 1);
    const std::size_t pieces = count / limit + (count % limit == 0 ? 0 : 1);
    std::size_t first = 0;
    for (std::size_t piece = 0; piece < pieces; ++piece) {
        const std::size_t last = first + count / pieces + (piece < count % pieces ? 1 : 0);
        append_halves(chunks, Chunk<Of>{first, last}, fits);
        first = last;
    }
    return chunks;
}

} // namespace wva_metrics::promql::detail
