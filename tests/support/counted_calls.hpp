// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/collector_fixture.hpp"

#include <boost/asio/io_context.hpp>

#include <new>

namespace wva_metrics::test_support {

/// Counts the calls to a collector where functions throw `std::bad_alloc`. Handlers run only inside
/// `settle()`.
struct CountedCalls {
    /// One whose initiating function throws is not counted, and never ends.
    template <typename Initiate>
    void begin(const Initiate& initiate) {
        try {
            initiate();
            ++begun;
        } catch (const std::bad_alloc&) {
        }
    }
    /// A handler.
    auto counter() {
        return [this](const auto& result) {
            ++ended;
            values += result.has_value() ? 1 : 0;
        };
    }

    /// Runs all handlers that are ready, also if one throws.
    void settle() {
        io.restart();
        for (bool has_thrown = true; has_thrown;) {
            has_thrown = false;
            try {
                io.poll();
            } catch (const std::bad_alloc&) {
                has_thrown = true;
            }
        }
    }
    void advance(Duration by) {
        ManualClock::advance(by);
        settle();
    }

    boost::asio::io_context io;
    int begun = 0;
    int ended = 0;
    int values = 0;
};

} // namespace wva_metrics::test_support
