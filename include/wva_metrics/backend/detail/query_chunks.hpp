// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/chunk_queue.hpp"
#include "wva_metrics/backend/detail/size_memory.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/header_limit.hpp"
#include "wva_metrics/prometheus/status_mapping.hpp"
#include "wva_metrics/promql/chunk.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace wva_metrics::detail {

/// True if a smaller query may succeed.
template <typename T>
bool is_too_large(const Result<T>& answer) noexcept {
    return answer.has_error() &&
           (answer.error().is(Errc::too_costly) || answer.error().is(Errc::too_large)) &&
           !http::is_header_too_large(answer.error());
}

/// How often the queries of a subject are sent again in one batch because an answer was cut off. As
/// few as a request has further attempts, because a server that cuts off every answer is in trouble.
inline constexpr std::size_t max_repeated_chunks = 2;

/// The chunks of one subject in a batch. `Fetch` queries one of them by `fetch(chunk)`, gets the
/// error of those that fail by `fail(chunk, error)`, and names a member by `name_of(index)`.
template <typename Fetch, typename Of>
class ChunkQueries {
public:
    using Chunk = promql::Chunk<Of>;

    /// The arguments must outlive it. All queries count as sent at `now`.
    ChunkQueries(Fetch& fetch, SizeMemory& memory, QuerySubject subject, TimePoint now)
        : fetch_(fetch), memory_(memory), subject_(subject), now_(now),
          largest_(memory.limit(subject, now)), too_large_(memory.too_large(subject, now)) {}

    /// Adds a chunk. The members that are known to be too large by themselves are kept apart, so that
    /// they do not spoil the queries of others.
    void add(Chunk chunk) {
        std::size_t first = chunk.first;
        for (std::size_t member = first; member < chunk.last && !too_large_.empty(); ++member) {
            const auto found = too_large_.find(fetch_.name_of(member));
            if (found == too_large_.end())
                continue;
            add_pieces(Chunk{first, member});
            const Chunk alone{member, member + 1};
            if (now_ < found->second.paused_until)
                fetch_.fail(alone, found->second.error);
            else
                add_pieces(alone);
            first = member + 1;
        }
        add_pieces(Chunk{first, chunk.last});
    }

    /// The queries that can be sent at once.
    std::size_t size() const noexcept { return queue_.size(); }

    /// Queries one chunk after the other, until none is left. May run several times concurrently on
    /// one strand. Owns `self`: if an execution context is destroyed, this and the coroutine that
    /// awaits it are destroyed unfinished, and nothing should depend on their order.
    static boost::asio::awaitable<void> run(std::shared_ptr<ChunkQueries> self) {
        while (const std::optional<Chunk> chunk = self->queue_.take()) {
            if (const std::optional<Error> refusal = self->queue_.refusal(*chunk)) {
                self->fetch_.fail(*chunk, *refusal);
                continue;
            }
            const Result<void> answer = co_await self->fetch_.fetch(*chunk);
            if (answer.has_value())
                self->queue_.add_answered(*chunk);
            else if (self->may_repeat(answer.error()))
                self->queue_.add_again(*chunk);
            else if (!is_too_large(answer) || !self->split(*chunk, answer.error()))
                self->fetch_.fail(*chunk, answer.error());
        }
    }

    /// Remembers what the answers have shown.
    void learn() {
        outcomes_.sizes = queue_.outcomes();
        memory_.learn(subject_, std::move(outcomes_), now_);
    }

private:
    void add_pieces(Chunk chunk) {
        if (chunk.size() > 0)
            queue_.add(chunk, largest_);
    }

    /// The HTTP client sends a request again by itself, unless a part of the answer has been used.
    bool may_repeat(const Error& error) noexcept {
        return prometheus::is_cut_off(error) && repeated_++ < max_repeated_chunks;
    }

    bool split(Chunk chunk, const Error& error) {
        if (chunk.size() == 1)
            outcomes_.too_large_alone.emplace_back(fetch_.name_of(chunk.first), error);
        return queue_.add_rejected(chunk, error, [&] { return memory_.may_split(subject_, now_); });
    }

    Fetch& fetch_;
    SizeMemory& memory_;
    const QuerySubject subject_;
    const TimePoint now_;
    const std::size_t largest_;
    const SizeMemory::Members too_large_;
    ChunkQueue<Of> queue_;
    BatchOutcomes outcomes_;
    std::size_t repeated_ = 0;
};

} // namespace wva_metrics::detail
