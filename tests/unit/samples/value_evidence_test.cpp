// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/samples/value_evidence.hpp"

#include "unit/samples/measured_view.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::samples::measured {

namespace {

constexpr std::string_view prompt_count = "vllm:request_prompt_tokens_count";
constexpr std::string_view prompt_sum = "vllm:request_prompt_tokens_sum";
constexpr std::string_view generated_sum = "vllm:request_generation_tokens_sum";
constexpr std::string_view ttft_sum = "vllm:time_to_first_token_seconds_sum";
constexpr std::string_view itl_sum = "vllm:inter_token_latency_seconds_sum";
constexpr std::string_view older_itl_sum = "vllm:time_per_output_token_seconds_sum";
constexpr std::string_view itl_count = "vllm:inter_token_latency_seconds_count";

ValueVerdict compare_both_ways(const View& a, const View& b, const SampleRules& rules = {}) {
    const MetricTraits traits(vllm_metrics());
    const ValueVerdict verdict = compare_values(a, b, traits, rules);
    CHECK(compare_values(b, a, traits, rules) == verdict);
    return verdict;
}

/// Two views of these counters, scraped in turn, of which the second is ahead by `offset`.
std::pair<View, View> in_turn(const std::vector<std::string_view>& counters, double first,
                              double step, double offset = 0) {
    std::vector<NewSeries> a;
    std::vector<NewSeries> b;
    for (const std::string_view name : counters) {
        a.push_back({name, spaced(15s, 7500ms, rising(4, step, first))});
        b.push_back({name, spaced(15s, 0s, rising(4, step, first + step / 2 + offset))});
    }
    return {make_view(a), make_view(b)};
}

} // namespace

TEST_CASE("values of one growing history prove nothing while they are young") {
    const auto [a, b] = in_turn({finished, prompt_sum, generated_sum, ttft_sum}, 10, 10);
    CHECK(compare_both_ways(a, b) == ValueVerdict::undecided);
}

TEST_CASE("three independent counters that fit within two percent prove one process") {
    const auto [a, b] = in_turn({finished, prompt_sum, generated_sum}, 10'000, 10);
    CHECK(compare_both_ways(a, b) == ValueVerdict::same);
    const auto [c, d] = in_turn({finished, prompt_sum}, 10'000, 10);
    CHECK(compare_both_ways(c, d) == ValueVerdict::undecided);
    const auto [e, f] = in_turn({finished, prompt_sum, generated_sum}, 440, 10);
    CHECK(compare_both_ways(e, f) == ValueVerdict::undecided);
}

TEST_CASE("counters that count the same are one") {
    const auto [a, b] = in_turn({finished, prompt_count, "vllm:request_generation_tokens_count",
                                 "vllm:time_to_first_token_seconds_count"},
                                10'000, 10);
    CHECK(compare_both_ways(a, b) == ValueVerdict::undecided);
    const auto [c, d] = in_turn({finished, itl_count, generated_sum}, 10'000, 10);
    CHECK(compare_both_ways(c, d) == ValueVerdict::undecided);
    const auto [e, f] = in_turn({finished, itl_sum, older_itl_sum}, 10'000, 10);
    CHECK(compare_both_ways(e, f) == ValueVerdict::undecided);
    const auto [g, h] = in_turn({finished, itl_sum, ttft_sum}, 10'000, 10);
    CHECK(compare_both_ways(g, h) == ValueVerdict::same);
}

TEST_CASE("a value outside the other's history refutes") {
    const auto [above, b] = in_turn({finished, prompt_sum, generated_sum}, 10'000, 10, 30);
    CHECK(compare_both_ways(above, b) == ValueVerdict::other);
    const auto [below, d] = in_turn({finished}, 10, 10, -9);
    CHECK(compare_both_ways(below, d) == ValueVerdict::other);
}

TEST_CASE("clocks may disagree by five seconds") {
    // At equal times, one is ahead by what is counted in four or in six seconds.
    const auto ahead = [](double seconds) {
        return std::pair(make_view({{finished, spaced(5s, 0s, rising(8, 5))}}),
                         make_view({{finished, spaced(5s, 0s, rising(8, 5, 1000 + seconds))}}));
    };
    const auto [a, b] = ahead(4);
    CHECK(compare_both_ways(a, b) == ValueVerdict::undecided);
    const auto [c, d] = ahead(6);
    CHECK(compare_both_ways(c, d) == ValueVerdict::other);
    SampleRules tolerant;
    tolerant.tolerance = 10s;
    CHECK(compare_both_ways(c, d, tolerant) == ValueVerdict::undecided);
}

TEST_CASE("nothing is said across a reset, nor of values that are not finite") {
    const View whole = make_view({{finished, spaced(10s, 5s, {100, 200, 10, 20})}});
    const View other = make_view({{finished, spaced(10s, 0s, {150, 250, 15, 25})}});
    CHECK(compare_both_ways(whole, other) == ValueVerdict::undecided);
    for (const double odd : {not_a_number, infinity, -infinity}) {
        const View broken = make_view({{finished, spaced(10s, 5s, {odd, odd, odd, odd})}});
        CHECK(compare_both_ways(broken, other) == ValueVerdict::undecided);
    }
}

TEST_CASE("two long fractions that are met again prove one process, one does not") {
    const auto with = [](std::vector<double> of_ttft, std::vector<double> of_itl,
                         ServerDuration age) {
        return make_view({{ttft_sum, spaced(15s, age, std::move(of_ttft))},
                          {itl_sum, spaced(15s, age, std::move(of_itl))}});
    };
    const View a = with({1, 1.2345678, 2.3456789}, {7, 8, 9}, 0s);
    CHECK(compare_both_ways(a, with({1.2345678, 2.3456789, 5}, {8, 9, 10}, 4s)) ==
          ValueVerdict::same);
    CHECK(compare_both_ways(a, with({1.2345678, 2.3, 5}, {8, 9, 10}, 4s)) ==
          ValueVerdict::undecided);
    // The same fraction, again and again, is one.
    const View idle = with({1.2345678, 1.2345678}, {1, 2}, 0s);
    CHECK(compare_both_ways(idle, idle) == ValueVerdict::undecided);
    // Under two names of one quantity it is one, too.
    const View twice = make_view({{itl_sum, spaced(15s, 0s, {1.2345678, 1.2345678})},
                                  {older_itl_sum, spaced(15s, 0s, {1.2345678, 1.2345678})},
                                  {finished, spaced(15s, 0s, {1, 2})}});
    CHECK(compare_both_ways(twice, twice) == ValueVerdict::undecided);
}

TEST_CASE("round fractions are chance") {
    for (const double value :
         {0.0, 3.0, 0.5, 12.25, 0.001, 1234.567, 1.0 / 1024, 1e15, infinity, not_a_number})
        CHECK_FALSE(detail::is_distinctive(value));
    for (const double value : {1.0 / 3, 0.0371234567, 123456.789012, 1e-5})
        CHECK(detail::is_distinctive(value));
}

TEST_CASE("fractions that prove and values that refute contradict each other") {
    const View a = make_view({{ttft_sum, spaced(10s, 0s, {1.2345678, 2.3456789, 3.3})},
                              {finished, spaced(10s, 0s, rising(3, 1, 100))}});
    const View b = make_view({{ttft_sum, spaced(10s, 0s, {1.2345678, 2.3456789, 3.3})},
                              {finished, spaced(10s, 0s, rising(3, 1, 500))}});
    CHECK(compare_both_ways(a, b) == ValueVerdict::contradictory);
}

TEST_CASE("two gauges that keep unequal values refute, also what equal counters prove") {
    const auto of = [](double waiting, double used, ServerDuration age, int count = 4) {
        const auto constant = [&](double value) {
            return spaced(15s, age, std::vector<double>(static_cast<std::size_t>(count), value));
        };
        return make_view({{queue, constant(waiting)},
                          {kv_usage, constant(used)},
                          {prompt_sum, spaced(15s, age, rising(count, 100.25125, 1000.37))},
                          {ttft_sum, spaced(15s, age, rising(count, 3.1007, 1000.37))}});
    };
    CHECK(compare_both_ways(of(5, 0.5, 7s), of(5, 0.5, 0s)) == ValueVerdict::same);
    CHECK(compare_both_ways(of(5, 0.5, 7s), of(7, 0.5, 0s)) == ValueVerdict::same);
    CHECK(compare_both_ways(of(5, 0.5, 7s), of(7, 0.6, 0s)) == ValueVerdict::other);
    CHECK(compare_both_ways(of(5, 0.5, 0s), of(7, 0.6, 0s)) == ValueVerdict::other);
    // Too few samples of one moment.
    CHECK(compare_both_ways(of(5, 0.5, 7s, 3), of(7, 0.6, 0s, 3)) == ValueVerdict::same);
    CHECK(compare_both_ways(of(5, 0.5, 45s), of(7, 0.6, 0s)) == ValueVerdict::same);
}

TEST_CASE("what is idle and equal adds nothing") {
    const auto idle = [](double requests, double waiting, double used, double runs = 0) {
        return make_view({{finished, spaced(15s, 0s, std::vector<double>(4, requests))},
                          {queue, spaced(15s, 0s, std::vector<double>(4, waiting))},
                          {running, spaced(15s, 0s, std::vector<double>(4, runs))},
                          {kv_usage, spaced(15s, 0s, std::vector<double>(4, used))}});
    };
    CHECK(compare_both_ways(idle(5, 0, 0.1), idle(5, 0, 0.1)) == ValueVerdict::idle);
    CHECK(compare_both_ways(idle(5, 0, not_a_number), idle(5, 0, not_a_number)) ==
          ValueVerdict::idle);
    CHECK(compare_both_ways(idle(5, 0, 0.1), idle(5, 0, 0.2)) == ValueVerdict::undecided);
    CHECK(compare_both_ways(idle(5, 0, 0.1), idle(6, 0, 0.1)) == ValueVerdict::other);
    // Two queues of three may be six.
    CHECK(compare_both_ways(idle(5, 3, 0.1), idle(5, 3, 0.1)) == ValueVerdict::undecided);
    CHECK(compare_both_ways(idle(5, 0, 0.1, 1), idle(5, 0, 0.1, 1)) == ValueVerdict::undecided);
}

TEST_CASE("views without a common series say nothing of each other") {
    const View a = make_view({{finished, spaced(15s, 0s, {1, 1}), "0"}});
    CHECK(compare_both_ways(a, make_view({{finished, spaced(15s, 0s, {1, 1}), "1"}})) ==
          ValueVerdict::undecided);
    CHECK(compare_both_ways(a, make_view({{queue, spaced(15s, 0s, {1, 1}), "0"}})) ==
          ValueVerdict::undecided);
}

} // namespace wva_metrics::samples::measured
