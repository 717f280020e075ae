// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/workload.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::promql {

/// What one query asks about: the members of a plan's list from `first` up to, without, `last`.
///
/// A few bytes; means something only together with its plan. `Of` keeps chunks of models and of
/// namespaces apart.
template <typename Of>
struct Chunk {
    /// The first index of the run.
    std::size_t first = 0;
    /// One past the last.
    std::size_t last = 0;

    /// How many there are.
    constexpr std::size_t size() const noexcept { return last - first; }
    /// Is it one of them?
    constexpr bool contains(std::size_t index) const noexcept {
        return index >= first && index < last;
    }
    friend bool operator==(const Chunk&, const Chunk&) = default;
};

/// Of `QueryPlan::models()`.
using ModelChunk = Chunk<ModelKey>;
/// Of `QueryPlan::namespaces()`.
using NamespaceChunk = Chunk<std::string>;

/// The halves of a chunk whose query was refused for its size or its cost; nothing where it has
/// only one member.
template <typename Of>
constexpr std::optional<std::pair<Chunk<Of>, Chunk<Of>>> split(Chunk<Of> chunk) noexcept {
    if (chunk.size() < 2)
        return std::nullopt;
    const std::size_t middle = chunk.first + chunk.size() / 2;
    return std::pair(Chunk<Of>{chunk.first, middle}, Chunk<Of>{middle, chunk.last});
}

/// Appends a chunk, or its halves and their halves, until each is about `most` members at most.
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
