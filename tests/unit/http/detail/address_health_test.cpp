// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/detail/address_health.hpp"

#include "support/property_cases.hpp"

#include <boost/asio/ip/address_v4.hpp>
#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using http::tcp;
using http::detail::AddressHealth;

namespace {

tcp::endpoint numbered_address(unsigned number) {
    return {boost::asio::ip::address_v4(0x7f000000U + number), 9090};
}

const tcp::endpoint first_address = numbered_address(1);
const tcp::endpoint second_address = numbered_address(2);
const tcp::endpoint third_address = numbered_address(3);
const TimePoint health_begin{1h};

AddressHealth health_of(const AddressHealth::Addresses& addresses) {
    AddressHealth health(5s, 60s);
    health.assign(addresses);
    return health;
}

} // namespace

TEST_CASE("an address is avoided after one failure, and the one that served last is first") {
    AddressHealth health = health_of({first_address, second_address, third_address});
    CHECK(health.sorted() ==
          AddressHealth::Addresses{first_address, second_address, third_address});
    CHECK(health.failed(first_address, health_begin));
    CHECK(health.sorted() ==
          AddressHealth::Addresses{second_address, third_address, first_address});
    health.succeeded(third_address);
    CHECK(health.sorted() ==
          AddressHealth::Addresses{third_address, second_address, first_address});
    health.succeeded(first_address);
    CHECK(health.sorted().front() == first_address);
}

TEST_CASE("if all addresses have failed, each is used when its turn comes") {
    AddressHealth health = health_of({first_address, second_address});
    health.failed(first_address, health_begin);
    health.failed(second_address, health_begin + 1s);
    CHECK(health.sorted().front() == first_address);
    CHECK_FALSE(health.claim_probe(health_begin + 1h));
    health.failed(first_address, health_begin + 2s);
    CHECK(health.sorted().front() == second_address);
    CHECK_FALSE(health_of({first_address}).failed(first_address, health_begin));
}

TEST_CASE("the pause of an address doubles with each failed probe, and ends when it serves") {
    AddressHealth health = health_of({first_address, second_address});
    health.failed(first_address, health_begin);
    TimePoint now = health_begin;
    for (const auto pause : {5s, 10s, 20s, 40s, 60s, 60s}) {
        CHECK_FALSE(health.claim_probe(now + pause - 1ns));
        now += pause;
        CHECK(health.claim_probe(now) == first_address);
        CHECK_FALSE(health.claim_probe(now));
        // The probe fails, and so does a call that began before it.
        health.failed(first_address, now);
        health.failed(first_address, now);
    }
    health.succeeded(first_address);
    health.failed(first_address, now);
    CHECK(health.claim_probe(now + 5s) == first_address);
}

TEST_CASE("calls that fail together count as one failure") {
    AddressHealth health = health_of({first_address, second_address});
    for (int i = 0; i < 10; ++i)
        health.failed(first_address, health_begin + std::chrono::milliseconds(i));
    CHECK(health.claim_probe(health_begin + 5s + 9ms) == first_address);
}

TEST_CASE("after a new lookup the health of the remaining addresses is known") {
    AddressHealth health = health_of({first_address, second_address});
    health.failed(first_address, health_begin);
    health.assign({first_address, third_address});
    CHECK(health.sorted() == AddressHealth::Addresses{third_address, first_address});
    health.assign({second_address});
    health.failed(first_address, health_begin);
    CHECK(health.sorted() == AddressHealth::Addresses{second_address});
    health.assign({});
    CHECK(health.is_empty());
    CHECK(health.sorted().empty());
}

TEST_CASE("in any order of events, healthy addresses come first and one probe runs per pause") {
    const AddressHealth::Addresses addresses{first_address, second_address, third_address};
    // Each digit is an event: a failure or a success of one of three addresses, a claim, time.
    constexpr std::size_t kinds = 8;
    constexpr std::size_t length = test_support::under_sanitizer ? 5 : 6;
    std::size_t sequences = 1;
    for (std::size_t i = 0; i < length; ++i)
        sequences *= kinds;
    bool holds = true;
    for (std::size_t sequence = 0; sequence < sequences && holds; ++sequence) {
        AddressHealth health = health_of(addresses);
        TimePoint now = health_begin;
        /// The failed addresses, and when each last failed or was claimed.
        std::map<tcp::endpoint, TimePoint> failed;
        for (std::size_t step = 0, rest = sequence; step < length; ++step, rest /= kinds) {
            const std::size_t event = rest % kinds;
            if (event < 3) {
                health.failed(addresses[event], now);
                failed[addresses[event]] = now;
            } else if (event < 6) {
                health.succeeded(addresses[event - 3]);
                failed.erase(addresses[event - 3]);
            } else if (event == 6) {
                const bool may_claim = failed.size() < addresses.size();
                if (const std::optional<tcp::endpoint> claimed = health.claim_probe(now)) {
                    holds = holds && may_claim && failed.count(*claimed) == 1 &&
                            now - failed[*claimed] >= 5s;
                    failed[*claimed] = now;
                } else {
                    // Every pause that could be over is over after a minute.
                    holds = holds && std::all_of(failed.begin(), failed.end(), [&](const auto& f) {
                                return !may_claim || now - f.second < 60s;
                            });
                }
            } else {
                now += 5s;
            }
            const AddressHealth::Addresses sorted = health.sorted();
            holds = holds && std::is_permutation(sorted.begin(), sorted.end(), addresses.begin(),
                                                 addresses.end());
            holds = holds &&
                    std::is_partitioned(sorted.begin(), sorted.end(), [&](const auto& address) {
                        return failed.count(address) == 0;
                    });
        }
        CAPTURE(sequence);
        CHECK(holds);
    }
}
