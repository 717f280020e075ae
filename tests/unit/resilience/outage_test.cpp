// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/resilience/endpoint_guard.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <queue>
#include <random>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;

namespace {

/// A server that is away for a minute, and what asks it: rounds of a backend, every 15 s or so. A round
/// is a chain of two requests and one of one request, which end at the first request that fails for
/// good, and at the deadline of the round.
class OutageOfAMinute {
public:
    static constexpr std::size_t requests_per_round = 3;

    explicit OutageOfAMinute(unsigned seed) : random_(seed) {}

    /// Requests that the server got in the ten seconds after it came back.
    std::size_t requests_after_return() {
        for (TimePoint round = begin_ + chance_of(15s); round < back_ + 1min;
             round += 13500ms + chance_of(3s)) {
            steps_.push({round, round + 9s, 2, 1});
            steps_.push({round, round + 9s, 1, 1});
        }
        std::size_t count = 0;
        while (!steps_.empty()) {
            const Step step = steps_.top();
            steps_.pop();
            const auto pass = guard_.admit(step.at);
            if (!pass)
                continue;
            if (step.at >= back_ && step.at < back_ + 10s)
                ++count;
            if (step.at < away_ || step.at >= back_) {
                guard_.succeed(*pass, step.at);
                if (step.requests > 1)
                    steps_.push({step.at + 200ms, step.deadline, step.requests - 1, 1});
                continue;
            }
            guard_.fail(*pass, step.at, "the connection was refused");
            if (const auto again =
                    guard_.plan_retry(step.attempt, step.at, step.deadline, chance()))
                steps_.push({*again, step.deadline, step.requests, step.attempt + 1});
        }
        return count;
    }

private:
    struct Step {
        TimePoint at;
        TimePoint deadline;
        /// Left in the chain.
        std::size_t requests;
        std::size_t attempt;
        bool operator>(const Step& other) const { return at > other.at; }
    };

    Duration chance_of(Duration most) {
        return std::chrono::duration_cast<Duration>(chance() * most);
    }
    double chance() { return std::uniform_real_distribution<double>(0, 1)(random_); }

    const TimePoint begin_{24h};
    const TimePoint away_ = begin_ + 5min;
    const TimePoint back_ = away_ + 1min;
    std::mt19937 random_;
    resilience::EndpointGuard guard_{resilience::ProtectionConfig{}, "http://prometheus:9090", 10};
    std::priority_queue<Step, std::vector<Step>, std::greater<>> steps_;
};

} // namespace

TEST_CASE("a server that comes back after a minute gets no more than two rounds in ten seconds") {
    std::size_t rounds_at_once = 0;
    for (unsigned seed = 0; seed < 500; ++seed) {
        const std::size_t requests = OutageOfAMinute(seed).requests_after_return();
        CAPTURE(seed);
        REQUIRE(requests <= 2 * OutageOfAMinute::requests_per_round);
        rounds_at_once += requests > 0 ? 1 : 0;
    }
    CHECK(rounds_at_once > 100); // It is asked again soon.
}
