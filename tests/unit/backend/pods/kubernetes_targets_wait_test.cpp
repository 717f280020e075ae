// SPDX-License-Identifier: Apache-2.0
#include "support/cluster.hpp"
#include "wva_metrics/backend/kubernetes_targets.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics {
namespace {

using namespace std::chrono_literals;
using test_support::Cluster;
using FoundTargets = Result<std::vector<scrape::ScrapeTarget>>;

/// What a function finds, when it has completed.
struct AwaitedTargets {
    AwaitedTargets(boost::asio::io_context& context, const KubernetesTargets& targets) {
        boost::asio::co_spawn(context, targets.function()(ModelKey("llm", "llama")),
                              [this](std::exception_ptr thrown, FoundTargets result) {
                                  if (!thrown)
                                      found = std::move(result);
                              });
    }
    std::optional<FoundTargets> found;
};

const std::string pod_of_list =
    R"({"metadata": {"namespace": "llm", "name": "llama-0", "uid": "u"},
        "status": {"phase": "Running", "podIP": "10.0.0.7"}})";

TEST_CASE("the targets of a cluster wait for its first list") {
    boost::asio::io_context context;
    Cluster cluster(context);
    const kubernetes::Client client(context.get_executor(), cluster.config());
    KubernetesTargets targets(client, {.list_wait = 1h});
    targets.start();
    const AwaitedTargets first(context, targets);
    const AwaitedTargets second(context, targets);
    while (cluster.server.count("pods", false) == 0)
        REQUIRE(context.run_one() == 1);
    CHECK_FALSE(first.found);
    SECTION("and are then what it has") {
        cluster.server.answer_list("pods", test_support::object_list({pod_of_list}, "5"));
        while (!first.found || !second.found)
            REQUIRE(context.run_one() == 1);
        for (const AwaitedTargets* const one : {&first, &second}) {
            REQUIRE(one->found->value().size() == 1);
            CHECK(one->found->value()[0].url == "http://10.0.0.7:8000/metrics");
        }
    }
    SECTION("and are an error if it is refused") {
        cluster.server.answer_list(
            "pods", test_support::status_json(403, "Forbidden", "no pods for you"), 403);
        while (!first.found || !second.found)
            REQUIRE(context.run_one() == 1);
        CHECK(first.found->error().is(Errc::forbidden));
    }
    SECTION("and end with what they wait for") {
        // The handlers are destroyed with the context, and nothing crashes.
    }
}

TEST_CASE("the targets of a cluster do not wait for ever, and not at all if nothing is followed") {
    boost::asio::io_context context;
    Cluster cluster(context);
    const kubernetes::Client client(context.get_executor(), cluster.config());
    const bool is_running = GENERATE(true, false);
    KubernetesTargets targets(client, {.list_wait = is_running ? Duration(1ms) : Duration(1h)});
    if (is_running)
        targets.start();
    const AwaitedTargets none(context, targets);
    while (!none.found)
        REQUIRE(context.run_one() == 1);
    CHECK(none.found->error().is(Errc::unavailable));
    CHECK(none.found->error().message.find("have not been listed yet") != std::string::npos);
}

} // namespace
} // namespace wva_metrics
