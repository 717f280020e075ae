// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/describe_exception.hpp"
#include "wva_metrics/detail/log_throttle.hpp"
#include "wva_metrics/detail/random_source.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/kubernetes/client_config.hpp"
#include "wva_metrics/kubernetes/detail/watch_machine.hpp"
#include "wva_metrics/kubernetes/page.hpp"
#include "wva_metrics/kubernetes/unreadable_object.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/strand.hpp>

#include <atomic>
#include <cstddef>
#include <exception>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::kubernetes::detail {

namespace asio = boost::asio;

/// The error of what the client has just thrown, such as for a lack of memory.
inline Error client_threw() {
    return Error(
        Errc::internal,
        wva_metrics::detail::describe_exception(std::current_exception(), "the client").message);
}

/// The state of a reflector from one `start` to the end of the last request after `stop`.
template <typename T, typename Executor>
struct ReflectorRun {
    ReflectorRun(const Executor& executor, const ClientConfig& config)
        : strand(asio::make_strand(executor)), machine(config, [this] { return random.next(); }) {}

    void clear_list() {
        objects.clear();
        unreadable = {};
    }
    /// Takes over the objects of a page, and returns what decides on the next step.
    PageFacts add_to_list(Page<T>&& page) {
        PageFacts facts;
        facts.objects = page.objects.size() + page.unreadable.count;
        facts.bytes = page.held_bytes;
        facts.continue_token = std::move(page.continue_token);
        facts.resource_version = std::move(page.resource_version);
        unreadable.add(std::move(page.unreadable));
        objects.insert(objects.end(), std::make_move_iterator(page.objects.begin()),
                       std::make_move_iterator(page.objects.end()));
        return facts;
    }

    const asio::strand<Executor> strand;
    /// Emitted on the strand.
    asio::cancellation_signal cancel;
    /// If set, no callback of the handler starts.
    std::atomic<bool> is_stopped{false};

    // Used by one request at a time: by its coroutine, or by the operation it waits for.
    wva_metrics::detail::RandomSource random;
    WatchMachine machine;
    /// The objects of the list in progress.
    std::vector<T> objects;
    UnreadableObjects unreadable;
    wva_metrics::detail::TextDeduplicator reported;
};

} // namespace wva_metrics::kubernetes::detail
