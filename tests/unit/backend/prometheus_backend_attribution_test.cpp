// SPDX-License-Identifier: Apache-2.0
#include "backend_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::WithinRel;

namespace {

/// Three workloads of one model. The name of each pod fits several of them; the longest workload's
/// name fits best.
struct NestedNames : BackendFixture {
    NestedNames() {
        set_load({"web-0-1"}, 1);    // Of `web-0`, though it fits `web` too.
        set_load({"web-0-1-2"}, 10); // Of `web-0-1`, though it fits `web-0` too.
        set_load({"web-3"}, 100);    // Only of `web`.
    }

    static VariantAutoscaling of(const std::string& workload, const std::string& kind) {
        return {"llm", workload, "meta/llama", workload, {}, 10, kind};
    }

    /// The requests per second of each variant of the batch; those without a pod have 0.
    std::map<std::string, double> rates(PrometheusBackend& queried,
                                        const std::vector<VariantAutoscaling>& batch) {
        std::map<std::string, double> found;
        for (const auto& answer : run(queried.fetch_optimizer_metrics(batch))) {
            const Reading<double>& rate = answer.value().arrival_rate_per_minute;
            found[answer.value().variant] = rate.has_value() ? rate.value() / 60 : 0;
        }
        return found;
    }

    const std::vector<VariantAutoscaling> all = {
        of("web", "LeaderWorkerSet"), of("web-0", "LeaderWorkerSet"), of("web-0-1", "StatefulSet")};
    const std::map<std::string, double> expected = {{"web", 100}, {"web-0", 1}, {"web-0-1", 10}};
};

} // namespace

TEST_CASE_METHOD(NestedNames,
                 "a variant has the same pods whichever other variants are in its batch") {
    PrometheusBackend queried = backend();
    static_cast<void>(rates(queried, all)); // All are known from now on.
    for (unsigned chosen = 1; chosen < 1U << all.size(); ++chosen) {
        std::vector<VariantAutoscaling> batch;
        for (std::size_t i = 0; i < all.size(); ++i)
            if ((chosen >> i & 1U) != 0)
                batch.push_back(all[i]);
        if (chosen % 2 != 0)
            std::ranges::reverse(batch);
        CAPTURE(chosen);
        for (const auto& [variant, rate] : rates(queried, batch))
            CHECK_THAT(rate, WithinRel(expected.at(variant), 1e-6));
    }
}

TEST_CASE_METHOD(NestedNames, "a variant that a batch has shown claims its pods from then on") {
    PrometheusBackend queried = backend();
    CHECK_THAT(rates(queried, {all[0]}).at("web"),
               WithinRel(101.0, 1e-6)); // Nothing else is known.
    CHECK_THAT(rates(queried, {all[1]}).at("web-0"), WithinRel(11.0, 1e-6));
    CHECK_THAT(rates(queried, {all[2]}).at("web-0-1"), WithinRel(10.0, 1e-6));
    for (const VariantAutoscaling& each : all)
        CHECK_THAT(rates(queried, {each}).at(each.name), WithinRel(expected.at(each.name), 1e-6));
}
