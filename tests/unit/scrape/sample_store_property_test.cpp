// SPDX-License-Identifier: Apache-2.0
#include "support/property_cases.hpp"
#include "wva_metrics/scrape/sample_store.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::scrape {
namespace {

using samples::Sample;
using samples::ServerDuration;

/// What a store should hold, by the simplest means.
class StoreModel {
public:
    StoreModel(const Retention& retention, const StoreLimits& limits)
        : retention_(retention), limits_(limits) {}

    void scrape(samples::ServerTime now, const std::map<std::string, double>& page) {
        for (auto& [name, series] : series_)
            series.ended = true;
        for (const auto& [name, value] : page) {
            series_[name].samples.push_back({now, value});
            series_[name].ended = false;
        }
        finish(now, 1);
    }
    void fail(samples::ServerTime now) { finish(now, 0); }

    std::map<std::string, std::pair<std::vector<Sample>, bool>> contents() const {
        std::map<std::string, std::pair<std::vector<Sample>, bool>> result;
        for (const auto& [name, series] : series_)
            result[name] = {{series.samples.begin(), series.samples.end()}, series.ended};
        result["up"] = {{up_.begin(), up_.end()}, false};
        return result;
    }

private:
    struct Series {
        std::deque<Sample> samples;
        bool ended = false;
    };

    void trim(std::deque<Sample>& all, samples::ServerTime now) const {
        while (all.size() > limits_.max_samples_per_series)
            all.pop_front();
        const auto age = [&] { return now - all.front().time; };
        while (!all.empty() && age() > retention_.usual &&
               (all.size() > retention_.kept || age() > retention_.longest))
            all.pop_front();
    }

    void finish(samples::ServerTime now, double up) {
        up_.push_back({now, up});
        trim(up_, now);
        for (auto& [name, series] : series_)
            trim(series.samples, now);
        std::erase_if(series_, [](const auto& entry) { return entry.second.samples.empty(); });
    }

    const Retention retention_;
    const StoreLimits limits_;
    std::map<std::string, Series> series_;
    std::deque<Sample> up_;
};

TEST_CASE("a store holds what its scrapes said, at changing intervals and through failures") {
    std::mt19937_64 random(14);
    const auto below = [&](std::size_t most) {
        return std::uniform_int_distribution<std::size_t>(0, most - 1)(random);
    };
    for (std::size_t run = 0; run < test_support::property_cases(60); ++run) {
        const Retention retention{std::chrono::seconds(1 + below(60)), below(6),
                                  std::chrono::seconds(61 + below(100))};
        const StoreLimits limits{.max_samples_per_series = 2 + below(40)};
        SampleStore store({}, retention, limits);
        StoreModel model(retention, limits);
        samples::ServerTime now{std::chrono::seconds(1'700'000'000)};
        std::size_t interval = 1000;
        for (std::size_t step = 0; step < 150; ++step) {
            if (below(20) == 0)
                interval = 1 + below(30'000);
            now += ServerDuration(1 + below(2 * interval));
            std::map<std::string, double> page;
            for (std::size_t i = 0; i < 6; ++i)
                if (below(10) > i)
                    page["metric_" + std::to_string(i)] = static_cast<double>(below(100));
            const bool fails = below(6) == 0;
            store.begin(now);
            for (const auto& [name, value] : page)
                REQUIRE(store.add(name, {}, value).has_value());
            if (fails) {
                store.fail();
                model.fail(now);
            } else {
                store.end();
                model.scrape(now, page);
            }
        }
        std::map<std::string, std::pair<std::vector<Sample>, bool>> found;
        store.visit([&](std::span<const samples::LabelView> labels, std::span<const Sample> all,
                        bool has_ended) {
            found[std::string(labels.front().value)] = {{all.begin(), all.end()}, has_ended};
        });
        REQUIRE(found == model.contents());
    }
}

} // namespace
} // namespace wva_metrics::scrape
