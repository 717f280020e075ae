// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/collector.hpp"
#include "wva_metrics/prometheus/flavor.hpp"

#include "support/collector_fixture.hpp"
#include "support/misbehaviour.hpp"
#include "support/scripted_server.hpp"
#include "unit/backend/backend_fixture.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

/// A server between a client and a fake Prometheus, which passes requests on to it until a test says
/// what to answer instead.
class MisbehavingServer {
public:
    static constexpr std::size_t always = std::numeric_limits<std::size_t>::max();

    MisbehavingServer(asio::io_context& context, std::uint16_t fake)
        : server_(context, {[state = state_, fake](ScriptedServer::PeerPtr peer) {
                      return serve(state, fake, peer);
                  }}) {}

    std::string url() const { return server_.url(); }
    /// Connections accepted so far.
    std::size_t connections() const { return server_.connections(); }
    /// Requests received so far.
    const std::vector<std::string>& requests() const { return server_.requests(); }

    /// Answers the next queries with this. Queries that do not contain `text`, as it is encoded in a
    /// form, are passed on.
    void misbehave(Misbehaviour how, std::size_t times = always, std::string text = {}) {
        state_->how = std::move(how);
        state_->times = times;
        state_->text = std::move(text);
        state_->misbehaved = state_->reused = 0;
    }
    void behave() { state_->times = 0; }

    /// How often it has misbehaved since `misbehave`.
    std::size_t misbehaved() const { return state_->misbehaved; }
    /// How many of these connections were used for another request.
    std::size_t reused() const { return state_->reused; }

private:
    struct State {
        Misbehaviour how;
        std::size_t times = 0;
        std::string text;
        std::size_t misbehaved = 0;
        std::size_t reused = 0;
    };

    static asio::awaitable<void> serve(std::shared_ptr<State> state, std::uint16_t fake,
                                       ScriptedServer::PeerPtr peer) {
        bool is_spoilt = false;
        for (;;) {
            const std::string request = co_await peer->read_request();
            if (std::exchange(is_spoilt, false))
                ++state->reused;
            if (state->times == 0 || request.find(state->text) == std::string::npos) {
                const std::string answer = co_await ask(fake, request);
                co_await peer->send(answer);
                continue;
            }
            if (state->times != always)
                --state->times;
            ++state->misbehaved;
            is_spoilt = true;
            Misbehaviour how = state->how;
            if (how.change) {
                std::string answer = co_await ask(fake, request);
                how.bytes = how.change(std::move(answer));
            }
            const bool goes_on = co_await carry_out(std::move(how), peer);
            if (!goes_on)
                co_return;
        }
    }

    /// The answer of the fake, which has a length as requests have.
    static asio::awaitable<std::string> ask(std::uint16_t fake, std::string request) {
        asio::ip::tcp::socket socket(co_await asio::this_coro::executor);
        const asio::ip::tcp::endpoint target(asio::ip::address_v4::loopback(), fake);
        co_await socket.async_connect(target, asio::use_awaitable);
        ScriptedServer::Peer connection(std::move(socket),
                                        std::make_shared<std::vector<std::string>>());
        co_await connection.send(std::move(request));
        co_return co_await connection.read_request();
    }

    std::shared_ptr<State> state_ = std::make_shared<State>();
    ScriptedServer server_;
};

/// A collector over a Prometheus that misbehaves at will. The clock is manual; HTTP uses the real
/// one. The configurations may be changed until the first call.
struct MisbehavingPrometheus : BackendFixture {
    using CollectorType = Collector<PrometheusBackend, MemoryCache, RecordingObserver, ManualTimer>;

    MisbehavingPrometheus() {
        config.client.http.url = server.url();
        config.flavor = prometheus::Flavor::prometheus; // So that all requests are queries.
        config.client.http.limits.max_body_bytes = 100'000;
        set_load({pod_a}, 1);
    }

    CollectorType& collector() {
        if (!collector_)
            collector_ = std::make_unique<CollectorType>(io.get_executor(), backend(),
                                                         CollectorConfig{}, observer);
        return *collector_;
    }
    Result<OptimizerSnapshot> collect(const VariantAutoscaling& variant = variant_of("llama")) {
        std::optional<Result<OptimizerSnapshot>> answer;
        collector().async_collect_optimizer_metrics(
            variant, [&](Result<OptimizerSnapshot> result) { answer = std::move(result); });
        wait_until([&] { return answer.has_value(); });
        return *std::move(answer);
    }
    Result<ReplicaSnapshot> collect_replicas() {
        std::optional<Result<ReplicaSnapshot>> answer;
        const VariantAutoscaling variant = variant_of("llama");
        collector().async_collect_replica_metrics(
            variant.model(), {variant},
            [&](Result<ReplicaSnapshot> result) { answer = std::move(result); });
        wait_until([&] { return answer.has_value(); });
        return *std::move(answer);
    }
    /// Requests per minute as collected.
    double rate() { return collect().value()->arrival_rate_per_minute.value(); }
    /// Makes all that is cached too old to be served, unless a fetch fails.
    static void expire() { ManualClock::advance(2min); }

    MisbehavingServer server{io, fake.port()};
    RecordingObserver observer;

private:
    std::unique_ptr<CollectorType> collector_;
};

/// A body as the answer of the API.
inline std::string api_answer(const std::string& type, const std::string& result,
                              const std::string& more = {}) {
    return http_answer(R"({"status":"success","data":{"resultType":")" + type + R"(","result":)" +
                       result + "}" + more + "}");
}

} // namespace wva_metrics::test_support
