// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/signal.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string_view>

using namespace wva_metrics;

namespace {

/// The compilers print an enumerator by its name, and any other value as a cast of a number.
template <Signal Value>
constexpr bool is_enumerator() {
    const std::string_view text = __PRETTY_FUNCTION__;
    const std::size_t value = text.find("Value = ");
    return value != std::string_view::npos &&
           text.substr(value).find('(') == std::string_view::npos;
}

static_assert(is_enumerator<Signal::e2e_latency>());
static_assert(!is_enumerator<static_cast<Signal>(signals.size())>(),
              "each signal needs a row in `signals`");
static_assert(info_of(Signal::ttft).signal == Signal::ttft);
static_assert(to_string(static_cast<Signal>(signals.size())) == "unknown");

} // namespace

TEST_CASE("each signal has its own name and a description") {
    std::set<std::string_view> names;
    for (const SignalInfo& info : signals) {
        names.insert(to_string(info.signal));
        CHECK_FALSE(info.description.empty());
    }
    CHECK(names.size() == signals.size());
    CHECK_FALSE(names.contains(""));
    CHECK_FALSE(names.contains("unknown"));
}

TEST_CASE("each signal has the computation of its kind") {
    CHECK(computation_of(Signal::running) == Computation::presence);
    CHECK(computation_of(Signal::arrival_rate) == Computation::counter_rate);
    for (const Signal signal :
         {Signal::input_tokens, Signal::output_tokens, Signal::ttft, Signal::itl})
        CHECK(computation_of(signal) == Computation::average);
    for (const Signal signal : {Signal::kv_cache_usage, Signal::queue_length})
        CHECK(computation_of(signal) == Computation::gauge_peak);
}

TEST_CASE("the optional signals come after all others") {
    for (const SignalInfo& info : signals)
        CHECK(is_optional(info.signal) == (std::ranges::count(all_signals, info.signal) == 0));
    CHECK(all_signals.back() == Signal::queue_length);
}
