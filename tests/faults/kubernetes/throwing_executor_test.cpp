// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/reflector.hpp"

#include "support/cluster.hpp"
#include "support/followed_pods.hpp"
#include "support/http_calls.hpp"
#include "support/throwing_executor.hpp"

#include <catch2/catch_all.hpp>

#include <memory>
#include <new>
#include <string>

namespace asio = boost::asio;
using namespace wva_metrics;
using namespace wva_metrics::test_support;

TEST_CASE("a reflector whose executor does not take its run says so, and can be started again") {
    const int taken = GENERATE(0, 1);
    CAPTURE(taken);
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list("pods", object_list({pod_json("a", "1")}, "10"));
    cluster.server.answer_watch("pods");
    const auto faults = std::make_shared<ExecutorFaults>();
    ReceivedPods received;
    kubernetes::Reflector<kubernetes::Pod> reflector(
        kubernetes::Client(ThrowingExecutor(context.get_executor(), faults), cluster.config()),
        kubernetes::Selection{"llm", {}}, received.handler());
    faults->taken = taken;
    faults->refused = 1;
    try {
        reflector.start();
        context.poll();
    } catch (const std::bad_alloc&) {
    }
    faults->refused = 0;
    REQUIRE(faults->failures == 1);
    if (taken == 0)
        CHECK_FALSE(reflector.status().running);
    context.restart();
    context.poll();
    reflector.start();
    run_until(context, [&] { return cluster.server.count("pods", true) == 1; });
    CHECK(received.names() == "a");
    CHECK(reflector.status().synced);
    reflector.stop();
}
