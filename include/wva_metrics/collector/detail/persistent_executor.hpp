// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/posting.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/require.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace wva_metrics::detail {

namespace asio = boost::asio;

/// The executor below a strand: it takes every function, and throws only if it cannot be copied.
///
/// If another executor throws, for example because memory is short, Asio's strand keeps for ever what
/// it was to run, or ends the program if it was just running something. This one tries three times,
/// and then runs the function inside the call. So post to such a strand with no lock held.
class PersistentExecutor {
public:
    /// A template, because an `any_io_executor` is made of any executor, and so of this one too.
    template <std::same_as<asio::any_io_executor> Executor>
    explicit PersistentExecutor(Executor inner) : inner_(std::move(inner)) {}

    ///@{
    /// As the executors of Asio.
    template <
        typename Property,
        std::enable_if_t<asio::can_query<const asio::any_io_executor&, Property>::value, int> = 0>
    decltype(auto) query(const Property& property) const {
        return asio::query(inner_, property);
    }
    template <
        typename Property,
        std::enable_if_t<asio::can_require<const asio::any_io_executor&, Property>::value, int> = 0>
    PersistentExecutor require(const Property& property) const {
        return PersistentExecutor(asio::require(inner_, property));
    }
    template <
        typename Property,
        std::enable_if_t<asio::can_prefer<const asio::any_io_executor&, Property>::value, int> = 0>
    PersistentExecutor prefer(const Property& property) const {
        return PersistentExecutor(asio::prefer(inner_, property));
    }
    template <typename Function>
    void execute(Function&& function) const {
        using Own = std::decay_t<Function>;
        // Never inside the call: what the function itself throws is no reason to call it again.
        const asio::any_io_executor queue = asio::require(inner_, asio::execution::blocking.never);
        if constexpr (!std::is_copy_constructible_v<Own>) {
            queue.execute(std::forward<Function>(function));
        } else if (!succeeds_in_three([&] { queue.execute(Own(function)); })) {
            Own last(std::forward<Function>(function));
            last();
        }
    }
    friend bool operator==(const PersistentExecutor& a, const PersistentExecutor& b) noexcept {
        return a.inner_ == b.inner_;
    }
    friend bool operator!=(const PersistentExecutor& a, const PersistentExecutor& b) noexcept {
        return a.inner_ != b.inner_;
    }
    ///@}

private:
    asio::any_io_executor inner_;
};

} // namespace wva_metrics::detail
