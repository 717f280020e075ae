// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wva_metrics/testing/fake_prometheus.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>
#include <utility>

namespace vllm_fleet {

/// The library's fake Prometheus, which scrapes the fleet without a network.
class FakeScraper {
public:
    FakeScraper(boost::asio::io_context& context, std::uint16_t port, std::string target)
        : prometheus_(context, port), target_(std::move(target)) {
        prometheus_.set_retention(std::chrono::minutes(5));
    }

    std::string address() const { return "127.0.0.1:" + std::to_string(prometheus_.port()); }

    void scrape(const std::string& page, std::chrono::system_clock::time_point time) {
        const auto loaded =
            prometheus_.load_exposition(page, time, {{"job", "vllm_fleet"}, {"instance", target_}});
        if (!loaded)
            std::cerr << "vllm_fleet: the fake Prometheus: " << loaded.error().message << '\n';
    }

private:
    wva_metrics::testing::FakePrometheus prometheus_;
    std::string target_;
};

} // namespace vllm_fleet
