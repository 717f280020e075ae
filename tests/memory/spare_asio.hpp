// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "memory/allocations.hpp"
#include "wva_metrics/testing/manual_time.hpp"

#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <vector>

namespace wva_metrics::test_support {

/// Asio 1.83 itself cannot do without some allocations: it reads memory that it has not written if it
/// gets a strand, but not what counts its users or the mutex that several share; and it keeps a timer
/// that was destroyed if its queue could not grow. These must not fail.
inline void spare_asio(boost::asio::io_context& io) {
    allocations.spared_after = sizeof(boost::asio::detail::strand_executor_service::strand_impl);
    for (int strands = 0; strands < 4000; ++strands)
        boost::asio::make_strand(io);
    const auto grow_queue_of = [&io]<typename Timer>(std::vector<Timer> timers) {
        for (int i = 0; i < 64; ++i)
            timers.emplace_back(io, Timer::time_point::max()).async_wait(boost::asio::detached);
        timers.clear();
        io.poll();
    };
    grow_queue_of(std::vector<testing::ManualTimer>());
    grow_queue_of(std::vector<boost::asio::steady_timer>());
}

} // namespace wva_metrics::test_support
