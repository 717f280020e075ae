// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <latch>
#include <thread>
#include <vector>

namespace wva_metrics::test_support {

/// Calls work(0), work(1), ... each in a thread of its own, all at once, and waits for all.
template <typename Work>
void run_threads(int count, const Work& work) {
    std::latch all_here(count);
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i)
        threads.emplace_back([&, i] {
            all_here.arrive_and_wait();
            work(i);
        });
    for (std::thread& thread : threads)
        thread.join();
}

} // namespace wva_metrics::test_support
