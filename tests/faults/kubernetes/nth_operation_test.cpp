// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/client_config.hpp"

#include "support/cluster.hpp"
#include "support/failing_transport.hpp"
#include "support/followed_pods.hpp"
#include "support/http_calls.hpp"

#include <catch2/catch_all.hpp>

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace asio = boost::asio;
using namespace wva_metrics;
using namespace wva_metrics::test_support;

TEST_CASE("whichever operation of a list or a watch fails, the pods are followed again") {
    using Fault = FailingTransport::Fault;
    const Fault fault = GENERATE(Fault::reset, Fault::cut_short);
    constexpr std::size_t most_operations = 200;
    for (std::size_t nth = 1; nth < most_operations; ++nth) {
        CAPTURE(fault, nth);
        asio::io_context context;
        Cluster cluster(context);
        // One failure costs at most one reply of each kind, and each watch tells of the same event.
        std::vector<ApiServer::StreamPtr> streams;
        for (int i = 0; i < 3; ++i) {
            cluster.server.answer_list("pods", object_list({pod_json("a", "1")}, "10"));
            streams.push_back(cluster.server.answer_watch("pods"));
            streams.back()->send(watch_line("ADDED", pod_json("b", "11")));
        }
        kubernetes::ClientConfig config = cluster.config();
        const auto transport = std::make_shared<FailingTransport>(config.http.transport);
        config.http.transport = transport;
        transport->fail(nth, fault);
        const FollowedPods following(context, config);
        run_until(context, [&] { return following.received.names() == "a b"; });

        // The watch works on, or it is the one that fails.
        const auto send = [&](const std::string& name) {
            for (const ApiServer::StreamPtr& stream : streams)
                stream->send(watch_line("ADDED", pod_json(name, "12")));
        };
        send("c");
        run_until(context, [&] { return following.received.names() == "a b c"; });
        CHECK(following.received.problems.size() <= 1);
        for (const std::string& problem : following.received.problems)
            CHECK_THAT(problem, Catch::Matchers::ContainsSubstring(cluster.server.url()));
        CHECK(following.reflector.status().synced);
        if (!transport->has_failed()) {
            CHECK(nth > 6); // At least two times: connect, handshake, write, read.
            return;
        }
    }
    FAIL("the operations do not end");
}
