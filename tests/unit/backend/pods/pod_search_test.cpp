// SPDX-License-Identifier: Apache-2.0
#include "paged_pods.hpp"

#include "wva_metrics/backend/detail/service_addresses.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

// Searches for pods that take their time.

namespace wva_metrics {
namespace {

using namespace std::chrono_literals;
using test_support::all_of;
using test_support::PagedPod;
using test_support::PodsFixture;

/// A function that completes when a test says so.
struct SlowFinder {
    explicit SlowFinder(asio::io_context& context)
        : gate(std::make_shared<asio::steady_timer>(context, TimePoint::max())) {}

    PodTargets function(std::vector<scrape::ScrapeTarget> found) const {
        return [gate = gate, asked = asked, found = std::move(found)](
                   ModelKey) -> asio::awaitable<Result<std::vector<scrape::ScrapeTarget>>> {
            ++*asked;
            boost::system::error_code ignored;
            co_await gate->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
            co_return found;
        };
    }
    void open() const { gate->expires_at(TimePoint::min()); }

    std::shared_ptr<asio::steady_timer> gate;
    std::shared_ptr<int> asked = std::make_shared<int>(0);
};

TEST_CASE_METHOD(PodsFixture, "a call that comes while pods are searched for waits for them") {
    PagedPod pod(context);
    const SlowFinder finder(context);
    config.find_targets = finder.function({pod.target("a")});
    PodBackend backend(context.get_executor(), config);
    std::size_t completed = 0;
    for (int i = 0; i < 3; ++i) {
        std::vector<ModelKey> models(1, ModelKey("llm", "meta/llama"));
        asio::co_spawn(context, backend.fetch_replica_samples(std::move(models)),
                       [&](std::exception_ptr, std::vector<Result<ReplicaSamples>> got) {
                           CHECK(got.front().value().pods.size() == 1);
                           CHECK(!got.front().value().partial);
                           ++completed;
                       });
    }
    while (*finder.asked == 0)
        context.run_one();
    context.poll();
    CHECK(completed == 0);
    finder.open();
    while (completed < 3)
        context.run_one();
    CHECK(*finder.asked == 1);
}

TEST_CASE_METHOD(PodsFixture, "a function that does not complete holds up no call, and runs once") {
    PagedPod pod(context);
    const SlowFinder finder(context);
    config.find_targets = finder.function({pod.target("a")});
    config.find_again_after = 0s;
    config.batch_timeout = 1ms;
    PodBackend backend(context.get_executor(), config);
    for (int i = 0; i < 3; ++i) {
        std::vector<ModelKey> models(1, ModelKey("llm", "meta/llama"));
        const auto answers = run(backend.fetch_replica_samples(std::move(models)));
        REQUIRE(answers.front().has_error());
        CHECK(answers.front().error().is(Errc::timeout));
        CHECK(answers.front().error().message.find("PodConfig::find_targets") != std::string::npos);
    }
    CHECK(*finder.asked == 1);
    finder.open();
    context.poll();
}

TEST_CASE_METHOD(PodsFixture, "a pod that is created anew under its name is its successor alone") {
    PagedPod before(context, test_support::vllm_page({.waiting = 9, .kv_cache = 0.9}));
    PagedPod after(context, test_support::vllm_page({.waiting = 1, .kv_cache = 0.1}));
    const auto found = std::make_shared<std::vector<scrape::ScrapeTarget>>();
    found->push_back(before.target("llama-0"));
    config.find_targets =
        [found](ModelKey) -> asio::awaitable<Result<std::vector<scrape::ScrapeTarget>>> {
        co_return *found;
    };
    config.find_again_after = 0s;
    config.peak_window = 0s;
    PodBackend backend(context.get_executor(), config);
    CHECK(replicas(backend).pods.front().queue_length.value_or(-1) == 9);
    *found = {after.target("llama-0")};
    found->front().uid = "another";
    const ReplicaSamples samples = replicas(backend);
    REQUIRE(samples.pods.size() == 1);
    CHECK(samples.pods.front().queue_length.value_or(-1) == 1);
    CHECK(samples.pods.front().kv_cache_usage.value_or(-1) == 0.1);
    CHECK(samples.gone_pods.empty());
    CHECK(!samples.partial);
}

TEST_CASE_METHOD(PodsFixture, "a target with a wrong URL is named") {
    PagedPod pod(context);
    scrape::ScrapeTarget wrong;
    wrong.url = "http://user:hunter2@10.0.0.1/metrics";
    wrong.pod = "llama-b";
    config.find_targets = [found = std::vector{pod.target("llama-a"), wrong}](ModelKey)
        -> asio::awaitable<Result<std::vector<scrape::ScrapeTarget>>> { co_return found; };
    PodBackend backend(context.get_executor(), config);
    const ReplicaSamples samples = replicas(backend);
    CHECK(samples.pods.size() == 1);
    CHECK(samples.partial);
    CHECK(all_of(samples.warnings).find("pod 'llama-b': url must not contain") !=
          std::string::npos);
    CHECK(all_of(samples.warnings).find("hunter2") == std::string::npos);
}

TEST_CASE_METHOD(PodsFixture, "a pod that is known to exist and cannot be scraped is told") {
    PagedPod pod(context);
    scrape::ScrapeTarget unreadable;
    unreadable.pod = "llama-b";
    unreadable.problem = Error(Errc::bad_response, "pod llm/llama-b cannot be read");
    config.find_targets = [found = std::vector{pod.target("llama-a"), unreadable}](ModelKey)
        -> asio::awaitable<Result<std::vector<scrape::ScrapeTarget>>> { co_return found; };
    PodBackend backend(context.get_executor(), config);
    const ReplicaSamples samples = replicas(backend);
    CHECK(samples.pods.size() == 1);
    CHECK(samples.partial);
    CHECK(all_of(samples.warnings).find("pod llm/llama-b cannot be read") != std::string::npos);
}

/// Knows what a test says.
struct FakeResolver {
    explicit FakeResolver(const asio::any_io_executor&) {}
    template <typename Handler>
    void async_resolve(const std::string&, const std::string&, Handler handler) const {
        struct Entry {
            asio::ip::tcp::endpoint at;
            asio::ip::tcp::endpoint endpoint() const { return at; }
        };
        std::vector<Entry> entries;
        entries.reserve(known.size());
        for (const char* const address : known)
            entries.push_back({{asio::ip::make_address(address), 80}});
        handler(boost::system::error_code(), entries);
    }
    static inline std::vector<const char*> known;
};

TEST_CASE_METHOD(PodsFixture, "a pod with addresses of two kinds counts once") {
    const auto resolve = [this] {
        return run(detail::resolve_all<FakeResolver>("pods", "80",
                                                     std::chrono::steady_clock::now() + 1h))
            .value();
    };
    FakeResolver::known = {"10.0.0.2", "10.0.0.1", "fd00::1", "fd00::2", "10.0.0.1"};
    CHECK(resolve() == std::set<std::string>{"10.0.0.1", "10.0.0.2"});
    FakeResolver::known = {"fd00::1", "10.0.0.1", "fd00::2"};
    CHECK(resolve() == std::set<std::string>{"fd00::1", "fd00::2"});
    FakeResolver::known = {};
    CHECK(resolve().empty());
}

} // namespace
} // namespace wva_metrics
