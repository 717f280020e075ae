// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/recycling_allocator.hpp>

#include <memory>
#include <utility>

namespace wva_metrics::detail {

namespace asio = boost::asio;

/// Keeps a completion handler in memory from its own associated allocator.
///
/// The memory is freed before the handler runs or is destroyed: the allocator may belong to the
/// handler, and its memory to the operation that the handler ends.
template <typename Handler>
class AllocatedHandler {
public:
    explicit AllocatedHandler(Handler handler) {
        Allocator allocator = allocator_of(handler);
        // Asio requires that moving a handler does not throw.
        stored_ = std::construct_at(Traits::allocate(allocator, 1), std::move(handler));
    }
    AllocatedHandler(const AllocatedHandler&) = delete;
    AllocatedHandler& operator=(const AllocatedHandler&) = delete;
    ~AllocatedHandler() {
        if (!is_taken())
            static_cast<void>(take());
    }

    bool is_taken() const noexcept { return stored_ == nullptr; }
    /// The handler; it must not have been taken.
    const Handler& get() const noexcept { return *stored_; }
    /// Frees the memory and returns the handler. Call at most once.
    Handler take() {
        Handler handler(std::move(*stored_));
        Allocator allocator = allocator_of(handler);
        std::destroy_at(stored_);
        Traits::deallocate(allocator, std::exchange(stored_, nullptr), 1);
        return handler;
    }

private:
    using Default = asio::recycling_allocator<void>;
    using Associated = asio::associated_allocator_t<Handler, Default>;
    using Allocator = typename std::allocator_traits<Associated>::template rebind_alloc<Handler>;
    using Traits = std::allocator_traits<Allocator>;

    static Allocator allocator_of(const Handler& handler) {
        return Allocator(asio::get_associated_allocator(handler, Default()));
    }

    Handler* stored_ = nullptr;
};

} // namespace wva_metrics::detail
