// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/request_total.hpp"

#include "wva_metrics/engine/known_engines.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;

namespace {

const samples::ServerTime counted_at{1'700'000'000s};

samples::PodReport counting(double requests, ReadingReason reason = ReadingReason::none,
                            samples::ServerDuration window = 10min) {
    samples::PodReport pod;
    pod.requests.emplace();
    pod.requests->reason = reason;
    pod.requests->value = requests;
    pod.requests->time = counted_at;
    pod.requests->window = window;
    return pod;
}

Reading<double> total_of(const std::vector<samples::PodReport>& pods,
                         ReadingReason doubt = ReadingReason::none) {
    static const wva_metrics::detail::SignalMetrics names(vllm_profile());
    wva_metrics::detail::RequestTotal total;
    for (const samples::PodReport& pod : pods)
        total.add(pod);
    return total.reading(doubt, names, {counted_at, TimePoint(24h)});
}

} // namespace

TEST_CASE("requests of several pods are added up, over the shortest window of theirs") {
    const Reading<double> total = total_of({counting(3), counting(4, ReadingReason::none, 5min)});
    CHECK(total.value() == 7);
    CHECK(total.statistic() == Statistic::count);
    CHECK(total.window() == 5min);
    CHECK(!total.is_lower_bound());
    CHECK(total.metric() == "vllm:request_success_total");
    CHECK(total_of({counting(0), counting(0)}).value() == 0);
}

TEST_CASE("no requests are 0 only if every pod says so, and else missing with the reason") {
    for (const ReadingReason reason : {ReadingReason::warming_up, ReadingReason::unread,
                                       ReadingReason::no_series, ReadingReason::ambiguous}) {
        const Reading<double> total = total_of({counting(0), counting(0, reason)});
        CHECK(total.state() == ReadingState::missing);
        CHECK(total.reason() == reason);
        CHECK(total_of({counting(0)}, reason).reason() == reason);
        // What was counted is enough to know that there were some.
        const Reading<double> some = total_of({counting(0, reason), counting(2)});
        CHECK(some.value() == 2);
        CHECK(some.is_lower_bound());
    }
    CHECK(total_of({}).reason() == ReadingReason::no_series);
    CHECK(total_of({}, ReadingReason::unattributed).reason() == ReadingReason::unattributed);
    // A pod without any samples.
    samples::PodReport unread;
    unread.values[0].reason = ReadingReason::unread;
    CHECK(total_of({counting(0), unread}).reason() == ReadingReason::unread);
}
