// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/owner_resolver.hpp"

#include "support/cluster.hpp"

#include <catch2/catch_all.hpp>

#include <boost/asio/post.hpp>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace asio = boost::asio;
using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// Waits for the pod `p` to change its state; returns the new one.
PodState state_after(const kubernetes::OwnerResolver& owners, PodState old_state) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < deadline) {
        const PodState state = owners.state_of("llm", "p");
        if (state != old_state)
            return state;
        std::this_thread::yield();
    }
    throw std::runtime_error("the state of the pod did not change in time");
}

} // namespace

TEST_CASE("a pod that is added, deleted and added again changes its state for concurrent readers") {
    asio::io_context server_context;
    Cluster cluster(server_context);
    cluster.server.answer_list("pods", object_list({pod_json("p", "1")}, "10"));
    const auto pods = cluster.server.answer_watch("pods");
    for (const char* const plural : {"replicasets", "statefulsets", "deployments"}) {
        cluster.server.answer_list(plural, object_list({}, "10"));
        cluster.server.answer_watch(plural);
    }
    asio::io_context context;
    kubernetes::OwnerResolver owners(kubernetes::Client(context.get_executor(), cluster.config()));
    owners.start();
    const auto send = [&](const std::string& line) {
        asio::post(server_context, [pods, line] { pods->send(line); });
    };

    std::atomic<bool> is_finished{false};
    std::vector<std::thread> threads;
    threads.emplace_back([&] { server_context.run(); });
    for (int i = 0; i < 2; ++i)
        threads.emplace_back([&] { context.run(); });
    threads.emplace_back([&] {
        while (!is_finished) {
            owners.find("llm", "p");
            owners.state_of("llm", "p");
            std::this_thread::yield();
        }
    });
    std::vector<PodState> states{PodState::unknown};
    try {
        states.push_back(state_after(owners, states.back()));
        send(watch_line("DELETED", pod_json("p", "11")));
        states.push_back(state_after(owners, states.back()));
        send(watch_line("ADDED", pod_json("p", "12")));
        states.push_back(state_after(owners, states.back()));
    } catch (const std::runtime_error&) {
        states.push_back(PodState::unknown);
    }
    is_finished = true;
    context.stop();
    server_context.stop();
    for (std::thread& thread : threads)
        thread.join();
    CHECK(states ==
          std::vector{PodState::unknown, PodState::ready, PodState::gone, PodState::ready});
}
