// SPDX-License-Identifier: Apache-2.0
#include "batch_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <catch2/catch_all.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// Calls of one backend whose queries are held, so that later calls share the round of the first.
struct SharedRound : BatchFixture {
    struct Call {
        asio::cancellation_signal cancel{};
        std::optional<std::vector<Result<ReplicaSamples>>> answers{};
        int completions = 0;
    };

    SharedRound() {
        serve(2);
        fake.hold();
        runs = fetch(io, models);
        wait_until([this] { return fake.query_count() == 2; });
        waits = fetch(io, {models[1]});
        run_ready(io);
    }

    std::shared_ptr<Call> fetch(asio::io_context& context, std::vector<ModelKey> which) {
        auto call = std::make_shared<Call>();
        asio::co_spawn(context, queried.fetch_replica_samples(std::move(which)),
                       asio::bind_cancellation_slot(call->cancel.slot(),
                                                    [call](std::exception_ptr, auto answers) {
                                                        ++call->completions;
                                                        call->answers = std::move(answers);
                                                    }));
        return call;
    }
    static void cancel(Call& call) { call.cancel.emit(asio::cancellation_type::terminal); }
    void wait_for(const Call& call) {
        wait_until([&] { return call.completions > 0; });
    }

    PrometheusBackend queried = backend();
    std::shared_ptr<Call> runs;
    std::shared_ptr<Call> waits;
};

} // namespace

TEST_CASE_METHOD(SharedRound, "a call that shares a round sends no queries of its own") {
    CHECK(fake.query_count() == 2);
    CHECK(waits->completions == 0);
    fake.release();
    wait_for(*runs);
    wait_for(*waits);
    CHECK(fake.query_count() == 4);
    REQUIRE(waits->answers->size() == 1);
    CHECK(is_kv_of(waits->answers->at(0), 1));
    CHECK(is_kv_of(runs->answers->at(1), 1));
}

TEST_CASE_METHOD(SharedRound,
                 "if the call that runs a round is cancelled, another one begins anew") {
    const auto third = fetch(io, {models[0]});
    run_ready(io);
    cancel(*runs);
    wait_for(*runs);
    wait_until([this] { return fake.query_count() >= 4; });
    fake.release();
    wait_for(*waits);
    wait_for(*third);
    CHECK(is_kv_of(waits->answers->at(0), 1));
    CHECK(is_kv_of(third->answers->at(0), 0));
    for (const auto& call : {runs, waits, third})
        CHECK(call->completions == 1);
}

TEST_CASE_METHOD(SharedRound,
                 "a call that waits for a round can be cancelled, and the round goes on") {
    cancel(*waits);
    wait_for(*waits);
    CHECK(runs->completions == 0);
    fake.release();
    wait_for(*runs);
    CHECK(is_kv_of(runs->answers->at(0), 0));
    CHECK(is_kv_of(runs->answers->at(1), 1));
    CHECK(waits->completions == 1);
}

TEST_CASE_METHOD(SharedRound, "if a round fails, so do all calls that share it") {
    fake.stop();
    wait_for(*runs);
    wait_for(*waits);
    CHECK(runs->answers->at(1).has_error());
    CHECK(waits->answers->at(0).has_error());
}

TEST_CASE_METHOD(SharedRound,
                 "the context of a call that waits can be destroyed before the round ends") {
    auto other = std::make_unique<asio::io_context>();
    const auto call = fetch(*other, {models[1]});
    other->poll();
    other.reset();
    fake.release();
    wait_for(*runs);
    wait_for(*waits);
    CHECK(is_kv_of(waits->answers->at(0), 1));
    CHECK(call->completions == 0);
}

TEST_CASE_METHOD(BatchFixture, "a round whose context was stopped holds up no call for long") {
    serve(1);
    config.batch_timeout = 1500ms;
    PrometheusBackend queried = backend();
    asio::io_context stopped;
    asio::co_spawn(stopped, queried.fetch_replica_samples(models), asio::detached);
    stopped.poll();
    // A call that comes at once cannot know, and a later one does not join.
    const auto waited = run(queried.fetch_replica_samples(models));
    REQUIRE(waited.size() == 1);
    REQUIRE(waited[0].has_error());
    CHECK(waited[0].error().is(Errc::timeout));
    CHECK(is_kv_of(run(queried.fetch_replica_samples(models)).at(0), 0));
}
