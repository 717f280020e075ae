// SPDX-License-Identifier: Apache-2.0
#include "paged_pods.hpp"

#include "wva_metrics/testing/backend_conformance.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace wva_metrics {
namespace {

using test_support::PagedPod;
using test_support::PodsFixture;
using test_support::vllm_page;

TEST_CASE_METHOD(PodsFixture, "the backend of pods conforms") {
    const std::vector<VariantAutoscaling> variants = {{"llm", "a-va", "model/a", "a"},
                                                      {"llm", "b-va", "model/b", "b"}};
    PagedPod first(context);
    PagedPod second(context);
    const auto show = [&](double requests) {
        first.show(vllm_page({.model = "model/a", .requests = requests}));
        second.show(vllm_page({.model = "model/b", .requests = requests}));
    };
    show(10);
    config.targets = {first.target("a-7d9f8b6c5d-aaaaa"), second.target("b-7d9f8b6c5d-bbbbb")};
    // A pod that misses two scrapes and a half counts as lost, also if this process has to wait.
    config.schedule.interval = std::chrono::milliseconds(50);
    // Copies share what they have read, and one that has just begun has no rates yet.
    PodBackend warm(context.get_executor(), config);
    for (double requests = 11;; ++requests) {
        show(requests);
        const auto answers = run(warm.fetch_optimizer_metrics(variants));
        if (answers[0]->arrival_rate_per_minute.has_value() &&
            answers[1]->arrival_rate_per_minute.has_value())
            break;
    }
    const auto answer_with = [&](const std::string& status) {
        first.answer_with(status);
        second.answer_with(status);
    };
    testing::ConformanceSubject<PodBackend> subject{
        .context = context,
        .make = [&] { return warm; },
        .variants = variants,
        .break_source = [&] { answer_with("503 Service Unavailable"); },
        .repair_source = [&] { answer_with("200 OK"); }};
    CHECK(testing::BackendConformance<PodBackend>(subject).check() == std::vector<std::string>{});
}

} // namespace
} // namespace wva_metrics
