// SPDX-License-Identifier: Apache-2.0
//
// What is known of a cluster while its API server, or what stands in front of it, answers late,
// something else, or not at all.
#include "wva_metrics/kubernetes/client_config.hpp"

#include "support/api_messages.hpp"
#include "support/followed_pods.hpp"
#include "support/hindered_answers.hpp"
#include "support/http_calls.hpp"
#include "support/misbehaviour.hpp"
#include "support/scripted_server.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// An API server with short watches, over plain HTTP, that misbehaves at will.
class HinderedApi {
public:
    explicit HinderedApi(asio::io_context& context)
        : server_(context,
                  {[state = state_](ScriptedServer::PeerPtr peer) { return serve(state, peer); }}) {
    }

    std::string url() const { return server_.url(); }

    /// What lists return, and watches report.
    void set_pods(std::string list, std::string event) {
        state_->list = std::move(list);
        state_->event = std::move(event);
    }
    /// Answers all requests with this, until `behave`.
    void misbehave(Misbehaviour how) {
        state_->how = std::move(how);
        state_->misbehaved = 0;
    }
    void behave() { state_->how.reset(); }
    std::size_t misbehaved() const { return state_->misbehaved; }

private:
    struct State {
        std::string list;
        std::string event;
        std::optional<Misbehaviour> how;
        std::size_t misbehaved = 0;
    };

    static asio::awaitable<void> serve(std::shared_ptr<State> state, ScriptedServer::PeerPtr peer) {
        for (;;) {
            const std::string request = co_await peer->read_request();
            if (state->how) {
                ++state->misbehaved;
                const bool goes_on = co_await carry_out(*state->how, peer);
                if (!goes_on)
                    co_return;
                continue;
            }
            const bool is_watch = request.find("watch=1") != std::string::npos;
            const std::string answer = http_answer(is_watch ? state->event : state->list);
            co_await peer->send(answer);
        }
    }

    std::shared_ptr<State> state_ = std::make_shared<State>();
    ScriptedServer server_;
};

void check_that_pods_survive(const HinderedAnswer& hindered, Duration page_timeout) {
    asio::io_context context;
    HinderedApi api(context);
    api.set_pods(object_list({pod_json("a", "1")}, "10"), "");
    kubernetes::ClientConfig config;
    config.http.url = api.url();
    config.http.protection.breaker.enabled = false;
    config.initial_backoff = config.max_backoff = std::chrono::milliseconds(2);
    config.min_watch_time = std::chrono::milliseconds(0);
    config.page_timeout = page_timeout;

    // As the first that is heard of the server.
    api.misbehave(hindered.how);
    const FollowedPods following(context, config);
    run_until(context,
              [&] { return api.misbehaved() >= 2 && !following.received.problems.empty(); });
    CHECK_FALSE(following.reflector.status().synced);
    CHECK(following.received.lists == 0);
    const std::string problem = following.received.problems.front();
    CAPTURE(problem);
    CHECK(problem.find(api.url()) != std::string::npos);
    CHECK(problem.size() < 1000);

    api.behave();
    run_until(context, [&] { return following.received.names() == "a"; });

    // And while pods are known.
    api.misbehave(hindered.how);
    run_until(context, [&] { return api.misbehaved() >= 3; });
    CHECK(following.received.names() == "a");
    CHECK(following.reflector.status().synced);

    api.set_pods(object_list({pod_json("a", "1"), pod_json("b", "11")}, "12"),
                 watch_line("ADDED", pod_json("b", "11")));
    api.behave();
    run_until(context, [&] { return following.received.names() == "a b"; });
}

} // namespace

TEST_CASE("known pods stay whatever page, redirect or reset an API server answers with") {
    for (const HinderedAnswer& hindered : hindered_answers()) {
        CAPTURE(hindered.name);
        check_that_pods_survive(hindered, std::chrono::seconds(30));
    }
}

TEST_CASE("known pods stay while an API server is too slow, however busy it seems") {
    for (const HinderedAnswer& late : late_answers()) {
        CAPTURE(late.name);
        // A watch may be slow once it has begun; its own limits are those of streams.
        if (late.how.bytes.find("\r\n\r\n") != std::string::npos)
            continue;
        check_that_pods_survive(late, std::chrono::milliseconds(200));
    }
}
