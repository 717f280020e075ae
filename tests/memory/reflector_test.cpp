// SPDX-License-Identifier: Apache-2.0
//
// A list and a watch of Kubernetes whose allocations fail, at each place, and what an event costs.
#include "wva_metrics/kubernetes/client_config.hpp"
#include "wva_metrics/kubernetes/reflector.hpp"
#include "wva_metrics/kubernetes/variant_watcher.hpp"

#include "memory/allocations.hpp"
#include "memory/spare_asio.hpp"
#include "support/api_messages.hpp"
#include "support/running_context.hpp"
#include "support/scripted_server.hpp"

#include <boost/asio/io_context.hpp>

#include <catch2/catch_all.hpp>

#include <chrono>
#include <new>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// What is known of two pods: one is in the list, the other is an event of the watch. Receiving
/// allocates nothing, so it is the reflector's allocations that fail.
struct TwoPods {
    bool is_listed = false;
    bool is_added = false;

    kubernetes::ReflectorHandler<kubernetes::Pod> handler() {
        kubernetes::ReflectorHandler<kubernetes::Pod> handler;
        handler.on_listed = [this](const std::vector<kubernetes::Pod>& pods) {
            is_listed = pods.size() == 1 && pods[0].metadata.name == "a";
        };
        handler.on_upserted = [this](const kubernetes::Pod& pod) {
            is_added = pod.metadata.name == "b";
        };
        return handler;
    }
    bool are_known() const { return is_listed && is_added; }
};

/// An API server on another thread, whose allocations succeed and are not counted.
class ApiElsewhere {
public:
    /// What lists and watches are answered with; a watch ends after its events.
    ApiElsewhere(const std::string& list, const std::string& events)
        : server_(running_.context(),
                  {[list_answer = http_answer(list),
                    watch_answer = http_answer(events)](ScriptedServer::PeerPtr peer) {
                      return serve(list_answer, watch_answer, peer);
                  }}) {}

    /// For this thread.
    kubernetes::ClientConfig config() const {
        kubernetes::ClientConfig config;
        config.http.url = server_.url();
        config.initial_backoff = config.max_backoff = std::chrono::milliseconds(1);
        config.min_watch_time = std::chrono::milliseconds(0);
        return config;
    }

private:
    static asio::awaitable<void> serve(std::string list_answer, std::string watch_answer,
                                       ScriptedServer::PeerPtr peer) {
        for (;;) {
            const std::string request = co_await peer->read_request();
            const bool is_watch = request.find("watch=1") != std::string::npos;
            const std::string answer = is_watch ? watch_answer : list_answer;
            co_await peer->send(answer);
        }
    }

    RunningContext running_;
    ScriptedServer server_;
};

/// Runs until the condition holds, also if handlers throw. False if nothing is left to run.
template <typename Condition>
bool run_in_short_memory(asio::io_context& io, const Condition& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    io.restart();
    while (!condition()) {
        try {
            if (io.run_one_until(end) == 0)
                break;
        } catch (const std::bad_alloc&) {
        }
    }
    REQUIRE(std::chrono::steady_clock::now() < end);
    return condition();
}

} // namespace

TEST_CASE("wherever an allocation of a list or a watch fails, the pods are followed again") {
    const ApiElsewhere api(object_list({pod_json("a", "1")}, "10"),
                           watch_line("ADDED", pod_json("b", "11")));
    kubernetes::ClientConfig config = api.config();
    config.page_timeout = std::chrono::milliseconds(500); // What was lost inside Asio is noticed.
    for (int succeed = 0;; ++succeed) {
        CAPTURE(succeed);
        REQUIRE(succeed < 5000);
        asio::io_context io;
        spare_asio(io);
        TwoPods pods;
        kubernetes::Reflector<kubernetes::Pod> reflector(
            kubernetes::Client(io.get_executor(), config), kubernetes::Selection{"llm", {}},
            pods.handler());
        allocations.failed = 0;
        allocations.failing = 1;
        allocations.allowed = succeed;
        try {
            reflector.start();
        } catch (const std::bad_alloc&) {
            CHECK_FALSE(reflector.status().running);
        }
        const auto are_known = [&] { return pods.are_known(); };
        if (!run_in_short_memory(io, are_known)) {
            // It says that it does not run, and can be started again.
            REQUIRE_FALSE(reflector.status().running);
            reflector.start();
            REQUIRE(run_in_short_memory(io, are_known));
        }
        allocations.allowed = -1;
        allocations.failing = -1;
        allocations.spared_after = 0;
        CHECK(reflector.status().running);
        CHECK(reflector.status().synced);
        CHECK(reflector.status().handler_failures == 0);
        if (allocations.failed == 0) {
            CHECK(succeed > 50); // There are several at each step.
            return;
        }
    }
}

TEST_CASE("an event about one of many variants does not copy the others") {
    constexpr int variants = 1000;
    const std::string model = "organisation/a-model-with-a-long-name";
    std::vector<std::string> objects;
    for (int i = 0; i < variants; ++i)
        objects.push_back(
            variant_json("variant-with-a-long-name-" + std::to_string(i), model, "1"));
    const std::string changed = "variant-with-a-long-name-500";
    const ApiElsewhere api(object_list(objects, "10"),
                           watch_line("MODIFIED", variant_json(changed, model + "-2", "11")) +
                               watch_line("MODIFIED", variant_json(changed, model + "-3", "12")));
    asio::io_context io;
    std::vector<int> counts;
    counts.reserve(100);
    kubernetes::VariantWatcherConfig config;
    config.namespace_name = "llm";
    config.on_change = [&](const kubernetes::VariantsChange&) {
        counts.push_back(allocations.count);
    };
    kubernetes::VariantWatcher watcher(kubernetes::Client(io.get_executor(), api.config()), config);
    watcher.start();
    REQUIRE(run_in_short_memory(io, [&] { return counts.size() >= 3; }));
    CHECK(watcher.snapshot()->size() == variants);
    CHECK(counts[2] - counts[1] < variants / 2);
}
