// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/epp_models.hpp"
#include "wva_metrics/backend/detail/epp_page.hpp"
#include "wva_metrics/backend/detail/epp_pool_status.hpp"
#include "wva_metrics/backend/detail/epp_queued.hpp"
#include "wva_metrics/backend/detail/epp_reader.hpp"
#include "wva_metrics/backend/epp_config.hpp"
#include "wva_metrics/exposition/text_parser.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/scrape/sample_store.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::test_support {

/// An EPP whose pages are texts of the test, without a network.
class EppPages {
    detail::ServerClock clock() const {
        return {now_, TimePoint(std::chrono::hours(7)) + now_.time_since_epoch()};
    }

    template <typename Read>
    auto read(Read how) const {
        detail::EppPage page(config.names, config.pool);
        store_.visit(
            [&page](auto labels, auto all, bool has_ended) { page.add(labels, all, has_ended); });
        const samples::SampleRules rules = detail::rules_of(config);
        const detail::EppReader reader(page, config, clock());
        return how(reader, rules);
    }

public:
    EppConfig config = EppConfig::at("http://epp:9090", "ns");

    /// Reads a page, some seconds after the test began.
    EppPages& scrape(int second, std::string_view page) {
        now_ = samples::ServerTime(std::chrono::hours(1) + std::chrono::seconds(second));
        store_.begin(now_);
        const auto add = [&](const exposition::PageSample& sample) {
            REQUIRE(store_.add(sample.name, sample.labels, sample.value).has_value());
        };
        REQUIRE(exposition::parse_text(page, exposition::TextFormat::prometheus_0_0_4, add)
                    .has_value());
        store_.end();
        return *this;
    }

    /// When the newest page was read.
    TimePoint now() const { return clock().requested; }

    EppPoolStatus status() const {
        return read([](const detail::EppReader& reader, const samples::SampleRules& rules) {
            return detail::EppPoolReader(reader, rules).read();
        });
    }
    EppQueued queued(const std::string& model, const std::string& space = "ns") const {
        return read([&](const detail::EppReader& reader, const samples::SampleRules&) {
            return detail::is_queued(reader, {space, model});
        });
    }
    Result<ReplicaSamples> replicas(const std::string& model,
                                    const std::string& space = "ns") const {
        return read([&](const detail::EppReader& reader, const samples::SampleRules& rules) {
            return detail::EppModels(reader, rules).replicas({space, model});
        });
    }
    Availability availability(const std::string& model, const std::string& space = "ns") const {
        return read([&](const detail::EppReader& reader, const samples::SampleRules& rules) {
            return detail::EppModels(reader, rules).availability({space, model});
        });
    }
    OptimizerMetrics optimizer(const std::string& model, std::size_t workloads = 1) const {
        return read([&](const detail::EppReader& reader, const samples::SampleRules& rules) {
            return detail::EppModels(reader, rules)
                .optimizer({"ns", "v", model, "d"}, workloads)
                .value();
        });
    }

private:
    scrape::SampleStore store_{{{"instance", "epp:9090"}, {"pod", "epp-0"}}};
    samples::ServerTime now_{};
};

} // namespace wva_metrics::test_support
