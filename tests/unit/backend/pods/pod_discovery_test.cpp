// SPDX-License-Identifier: Apache-2.0
#include "paged_pods.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace wva_metrics {
namespace {

using namespace std::chrono_literals;
using test_support::all_of;
using test_support::PagedPod;
using test_support::PodsFixture;
using test_support::vllm_page;

using Found = Result<std::vector<scrape::ScrapeTarget>>;

/// A function that finds what a test says.
struct Finder {
    std::shared_ptr<Found> found = std::make_shared<Found>(std::vector<scrape::ScrapeTarget>());
    std::shared_ptr<int> asked = std::make_shared<int>(0);

    PodTargets function() const {
        return [found = found, asked = asked](ModelKey) -> asio::awaitable<Found> {
            ++*asked;
            co_return *found;
        };
    }
};

TEST_CASE_METHOD(PodsFixture, "pods that a function finds come and go") {
    PagedPod one(context);
    PagedPod two(context, vllm_page({.kv_cache = 0.75}));
    const Finder finder;
    *finder.found = std::vector{one.target("a"), two.target("b")};
    config.find_targets = finder.function();
    config.find_again_after = 0s;
    PodBackend backend(context.get_executor(), config);
    CHECK(replicas(backend).pods.size() == 2);
    *finder.found = std::vector{two.target("b")};
    const ReplicaSamples samples = replicas(backend);
    REQUIRE(samples.pods.size() == 1);
    CHECK(samples.pods.front().pod == "b");
    CHECK(samples.gone_pods == std::vector<std::string>{"a"});
    CHECK(!samples.partial);
    *finder.found = std::vector{one.target("a"), two.target("b")};
    CHECK(replicas(backend).pods.size() == 2);
    CHECK(one.scrapes() == 2);
}

TEST_CASE_METHOD(PodsFixture, "a pod that is found for any model has those that its page names") {
    PagedPod llama(context);
    PagedPod qwen(context, vllm_page({.model = "qwen", .waiting = 7}));
    const Finder finder;
    *finder.found = std::vector{llama.target("a", any_model), qwen.target("b", any_model)};
    config.find_targets = finder.function();
    PodBackend backend(context.get_executor(), config);
    for (const std::string model : {"meta/llama", "qwen"}) {
        const ReplicaSamples samples = replicas(backend, model);
        REQUIRE(samples.pods.size() == 1);
        CHECK(samples.pods[0].pod == (model == "qwen" ? "b" : "a"));
        CHECK(samples.pods[0].queue_length.value() == (model == "qwen" ? 7 : 0));
        CHECK(!samples.partial);
        CHECK(all_of(samples.warnings).empty());
    }
    CHECK(llama.scrapes() == 1);
    PagedPod unnamed(context, "llamacpp:requests_processing 1\nllamacpp:requests_deferred 2\n");
    *finder.found = std::vector{unnamed.target("c", any_model)};
    PodBackend another(context.get_executor(), config);
    const ReplicaSamples unknown = replicas(another);
    CHECK(unknown.pods.empty());
    CHECK(unknown.partial);
}

TEST_CASE_METHOD(PodsFixture, "a function that fails leaves the pods that it found before") {
    PagedPod pod(context);
    const Finder finder;
    *finder.found = Error(Errc::forbidden, "no access");
    config.find_targets = finder.function();
    config.find_again_after = 0s;
    PodBackend backend(context.get_executor(), config);
    const auto ask = [&] {
        std::vector<ModelKey> models(1, ModelKey("llm", "meta/llama"));
        return run(backend.fetch_replica_samples(std::move(models))).front();
    };
    CHECK(ask().error().is(Errc::forbidden));
    *finder.found = std::vector{pod.target("a")};
    CHECK(ask().value().pods.size() == 1);
    *finder.found = Error(Errc::forbidden, "no access");
    const ReplicaSamples samples = ask().value();
    CHECK(samples.pods.size() == 1);
    CHECK(samples.partial);
    CHECK(all_of(samples.warnings).find("no access") != std::string::npos);
}

TEST_CASE_METHOD(PodsFixture, "a pod that takes the place of another has not its load reports") {
    PagedPod pod(context);
    Finder finder;
    scrape::ScrapeTarget target = pod.target("a", "meta/llama");
    *finder.found = std::vector{target};
    config.find_targets = finder.function();
    config.find_again_after = 0s;
    config.load_reports.blackout = 0s;
    PodBackend backend(context.get_executor(), config);
    const auto tell = [&] {
        return backend.ingest_orca("llm", "a", "TEXT named_metrics.kv_cache_usage_perc=0.75",
                                   std::chrono::steady_clock::now());
    };
    replicas(backend);
    REQUIRE(tell().has_value());
    CHECK(replicas(backend).pods.front().kv_cache_usage.value() == 0.75);
    target.uid = "another";
    *finder.found = std::vector{target};
    pod.answer_with("503 Service Unavailable");
    const ReplicaSamples starting = replicas(backend);
    REQUIRE(starting.pods.size() == 1);
    CHECK(starting.pods[0].kv_cache_usage.metric() != "endpoint-load-metrics");
    REQUIRE(tell().has_value());
    CHECK(replicas(backend).pods.front().kv_cache_usage.metric() == "endpoint-load-metrics");
    *finder.found = std::vector<scrape::ScrapeTarget>();
    replicas(backend);
    CHECK(tell().error().is(Errc::invalid_argument));
}

TEST_CASE_METHOD(PodsFixture, "a function that throws is an error, and is asked again only later") {
    int asked = 0;
    config.find_targets = [&asked](ModelKey) -> asio::awaitable<Found> {
        ++asked;
        throw std::runtime_error("broken");
        co_return Found();
    };
    config.find_again_after = 1h;
    PodBackend backend(context.get_executor(), config);
    for (int i = 0; i < 2; ++i) {
        std::vector<ModelKey> models(1, ModelKey("llm", "meta/llama"));
        const auto answers = run(backend.fetch_replica_samples(std::move(models)));
        CHECK(answers.front().error().message.find("broken") != std::string::npos);
    }
    CHECK(asked == 1);
}

TEST_CASE_METHOD(PodsFixture, "each address of a service is a pod of its owner") {
    PagedPod pod(context);
    PodService service;
    service.url = "http://localhost:" + std::to_string(pod.server().port());
    service.namespace_name = "llm";
    service.owner = PodOwner{"Deployment", "llama"};
    config.services = {service};
    PodBackend backend(context.get_executor(), config);
    const ReplicaSamples samples = replicas(backend);
    const std::string name = "127.0.0.1:" + std::to_string(pod.server().port());
    const auto found =
        std::ranges::find_if(samples.pods, [&](const auto& sample) { return sample.pod == name; });
    REQUIRE(found != samples.pods.end());
    CHECK(found->kv_cache_usage.value() == 0.5);
    CHECK(found->owner->name == "llama");
    CHECK(optimizer(backend).arrival_rate_per_minute.reason() != ReadingReason::unattributed);
}

TEST_CASE_METHOD(PodsFixture, "a name that cannot be resolved is an error that names it") {
    PodService service;
    service.url = "http://no-such-host.invalid:8000";
    config.services = {service};
    PodBackend backend(context.get_executor(), config);
    std::vector<ModelKey> models(1, ModelKey("llm", "meta/llama"));
    const auto answers = run(backend.fetch_replica_samples(std::move(models)));
    CHECK(answers.front().error().describe().find("no-such-host.invalid") != std::string::npos);
}

TEST_CASE_METHOD(PodsFixture, "more targets than allowed are named, and the others are scraped") {
    PagedPod one(context);
    config.targets = {one.target("a"), one.target("b")};
    config.max_targets = 1;
    PodBackend backend(context.get_executor(), config);
    const ReplicaSamples samples = replicas(backend);
    CHECK(samples.pods.size() == 1);
    CHECK(samples.partial);
    CHECK(all_of(samples.warnings).find("PodConfig::max_targets") != std::string::npos);
}

TEST_CASE_METHOD(PodsFixture,
                 "a backend that is destroyed completes its calls, and leaves no work") {
    PagedPod pod(context);
    config.targets = {pod.target("a")};
    config.schedule.interval = 10ms;
    auto backend = std::make_unique<PodBackend>(context.get_executor(), config);
    bool is_complete = false;
    std::vector<ModelKey> models(1, ModelKey("llm", "meta/llama"));
    asio::co_spawn(context, backend->fetch_replica_samples(std::move(models)),
                   [&](std::exception_ptr, std::vector<Result<ReplicaSamples>> got) {
                       CHECK(got.front().value().pods.size() == 1);
                       is_complete = true;
                   });
    backend.reset();
    while (!is_complete)
        context.run_one();
}

TEST_CASE_METHOD(PodsFixture,
                 "a cancelled call leaves, and a context may be destroyed with calls in it") {
    auto own = std::make_unique<asio::io_context>();
    auto pod = std::make_unique<PagedPod>(*own);
    pod->fall_silent();
    config.targets = {pod->target("a")};
    auto backend = std::make_unique<PodBackend>(own->get_executor(), config);
    std::vector<ModelKey> models(1, ModelKey("llm", "meta/llama"));
    asio::cancellation_signal cancel;
    bool is_over = false;
    asio::co_spawn(*own, backend->fetch_replica_samples(models),
                   asio::bind_cancellation_slot(
                       cancel.slot(), [&](std::exception_ptr, std::vector<Result<ReplicaSamples>>) {
                           is_over = true;
                       }));
    while (pod->scrapes() == 0)
        own->run_one();
    cancel.emit(asio::cancellation_type::terminal);
    while (!is_over)
        own->run_one();
    asio::co_spawn(*own, backend->fetch_replica_samples(models), asio::detached);
    own->run_one();
    SECTION("before the backend") {
        own.reset();
    }
    SECTION("after the backend") {
        backend.reset();
        own.reset();
    }
}

} // namespace
} // namespace wva_metrics
