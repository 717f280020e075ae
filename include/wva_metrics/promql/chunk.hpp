// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/workload.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::promql {

/// The part of a plan's list that one query is about: the range [`first`, `last`).
///
/// A pair of indices, so it is only valid together with its plan. `Of` makes chunks of models and
/// of namespaces different types.
template <typename Of>
struct Chunk {
    /// The first index.
    std::size_t first = 0;
    /// One past the last index.
    std::size_t last = 0;

    /// The number of members.
    constexpr std::size_t size() const noexcept { return last - first; }
    /// Is the index in the chunk?
    constexpr bool contains(std::size_t index) const noexcept {
        return index >= first && index < last;
    }
    friend bool operator==(const Chunk&, const Chunk&) = default;
};

/// A part of `QueryPlan::models()`.
using ModelChunk = Chunk<ModelKey>;
/// A part of `QueryPlan::namespaces()`.
using NamespaceChunk = Chunk<std::string>;

/// The halves of a chunk, for a query that was rejected for its size or cost. Empty if the chunk
/// has fewer than two members.
template <typename Of>
constexpr std::optional<std::pair<Chunk<Of>, Chunk<Of>>> split(Chunk<Of> chunk) noexcept {
    if (chunk.size() < 2)
        return std::nullopt;
    const std::size_t middle = chunk.first + chunk.size() / 2;
    return std::pair(Chunk<Of>{chunk.first, middle}, Chunk<Of>{middle, chunk.last});
}

/// Appends a chunk, or recursively its halves until none has more than `most` members.
template <typename Of>
void append_pieces(std::vector<Chunk<Of>>& pieces, Chunk<Of> chunk, std::size_t most) {
    const auto halves = split(chunk);
    if (chunk.size() <= most || !halves) {
        pieces.push_back(chunk);
        return;
    }
    append_pieces(pieces, halves->first, most);
    append_pieces(pieces, halves->second, most);
}

} // namespace wva_metrics::promql
