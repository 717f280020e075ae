// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/client.hpp"
#include "wva_metrics/kubernetes/detail/random_source.hpp"
#include "wva_metrics/kubernetes/detail/said_once.hpp"
#include "wva_metrics/kubernetes/detail/watch_machine.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/strand.hpp>

#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

namespace wva_metrics::kubernetes::detail {

/// What a reflector has from one `start` to the end of its last request after `stop`.
template <typename T>
struct ReflectorRun {
    ReflectorRun(const asio::any_io_executor& executor, const ClientConfig& config)
        : strand(asio::make_strand(executor)), machine(config, [this] { return random.next(); }) {}

    const asio::strand<asio::any_io_executor> strand;
    /// Emitted on the strand.
    asio::cancellation_signal cancel;
    /// No function of the handler is begun after this.
    std::atomic<bool> is_stopped{false};

    // Used by one request at a time: by its coroutine, or while that waits by what it waits for.
    RandomSource random;
    WatchMachine machine;
    /// The pages of the list that is under way.
    std::vector<T> objects;
    std::size_t unreadable = 0;
    std::string first_problem;
    SaidOnce said;
};

} // namespace wva_metrics::kubernetes::detail
