// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/chunk_size_limit.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/promql/chunk.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace wva_metrics::detail {

/// The chunks of a batch that are still to be queried, and what their sizes have shown so far. It
/// decides in which pieces they are queried; `query_chunks` sends the queries.
///
/// If the server rejects a query for its size, the halves come next, before the other chunks: so
/// the size that it accepts is found with few queries, and the rest is queried in that size.
///
/// **Threads:** not thread-safe: all queries of a batch run on one strand.
template <typename Of>
class ChunkQueue {
public:
    using Chunk = promql::Chunk<Of>;

    /// A chunk is queried in pieces of at most `largest` members.
    void add(Chunk chunk, std::size_t largest) {
        std::vector<Chunk> pieces;
        promql::append_pieces(pieces, chunk, largest);
        waiting_.insert(waiting_.begin(), pieces.rbegin(), pieces.rend());
    }

    std::size_t size() const noexcept { return waiting_.size(); }
    const ChunkOutcomes& outcomes() const noexcept { return outcomes_; }

    /// Removes and returns the next chunk to query.
    std::optional<Chunk> take() {
        while (!waiting_.empty()) {
            const Chunk chunk = waiting_.back();
            waiting_.pop_back();
            if (!outcomes_.show_a_limit() || chunk.size() < outcomes_.smallest_rejected)
                return chunk;
            push_halves(chunk);
        }
        return std::nullopt;
    }

    /// The same chunk is queried next: its answer was lost.
    void add_again(Chunk chunk) { waiting_.push_back(chunk); }

    void add_answered(Chunk chunk) noexcept { outcomes_.add_answered(chunk.size()); }

    /// A query was rejected for its size. If `may_split()`, its halves are queried next; it is not
    /// called for a single member. Returns false if the chunk has failed.
    template <typename MaySplit>
    bool add_rejected(Chunk chunk, const Error& error, MaySplit may_split) {
        outcomes_.add_rejected(chunk.size());
        if (chunk.size() < 2)
            return false;
        if (!refusal_ && may_split()) {
            push_halves(chunk);
            return true;
        }
        refusal_ = error;
        return false;
    }

    /// Why a chunk is not queried any more: chunks of its size were rejected, none was answered, and
    /// they may not be halved.
    std::optional<Error> refusal(Chunk chunk) const {
        if (!refusal_ || chunk.size() <= outcomes_.largest_answered)
            return std::nullopt;
        Error error = *refusal_;
        error.message =
            "not queried, because the server has just rejected a query as too large, and "
            "enough smaller ones were tried: " +
            error.message;
        return error;
    }

private:
    void push_halves(Chunk chunk) {
        if (const auto halves = promql::split(chunk)) {
            waiting_.push_back(halves->second);
            waiting_.push_back(halves->first);
        }
    }

    /// The next one is the last.
    std::vector<Chunk> waiting_;
    ChunkOutcomes outcomes_;
    std::optional<Error> refusal_;
};

} // namespace wva_metrics::detail
