// SPDX-License-Identifier: Apache-2.0
#include "backend_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch_all.hpp>

#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// A pending batch that counts its completions. Everything is on one io_context that a test may
/// destroy.
struct RunningBatch {
    explicit RunningBatch(bool hold) {
        fake->set_time(noon);
        fake->set({"vllm:kv_cache_usage_perc",
                   {{"namespace", "llm"}, {"model_name", "m0"}, {"pod", "p-0"}}},
                  0.5);
        if (hold)
            fake->hold();
        PrometheusConfig config = PrometheusConfig::at(fake->url());
        config.client.http.limits.max_connections = 2; // So that some queries wait in the queue.
        backend.emplace(io->get_executor(), config);
        // Rejects the first query for the two models, so that it is halved.
        fake->fail_next(1, 413);
        asio::co_spawn(
            *io, backend->fetch_replica_samples({ModelKey("llm", "m0"), ModelKey("llm", "m1")}),
            asio::bind_cancellation_slot(
                cancel.slot(),
                [this](std::exception_ptr failure, std::vector<Result<ReplicaSamples>> answers) {
                    ++completions;
                    threw = failure != nullptr;
                    result = std::move(answers);
                }));
    }

    /// False if there was nothing to run.
    bool run(std::size_t handlers) {
        for (std::size_t i = 0; i < handlers; ++i)
            if (completions > 0 || io->run_one_for(20ms) == 0)
                return false;
        return true;
    }

    asio::cancellation_signal cancel; // Outlives the coroutine that uses it.
    std::unique_ptr<asio::io_context> io = std::make_unique<asio::io_context>();
    std::unique_ptr<FakePrometheus> fake = std::make_unique<FakePrometheus>(*io);
    std::optional<PrometheusBackend> backend;
    std::vector<Result<ReplicaSamples>> result;
    int completions = 0;
    bool threw = false;
};

/// Calls `test(batch)` with a batch in each phase: so many handlers after its beginning, until it
/// is over or, if answers are held, nothing happens any more. The first step is always made,
/// because Asio 1.83 throws out of `run` if a coroutine is cancelled before it.
template <typename Test>
void in_every_phase(bool hold, Test test) {
    constexpr std::size_t first = 2; // The fake's accepting is the first handler.
    constexpr std::size_t stride = 2;
    std::size_t phases = 0;
    for (bool goes_on = true; goes_on; ++phases) {
        RunningBatch batch(hold);
        goes_on = batch.run(first + phases * stride);
        CAPTURE(first + phases * stride);
        test(batch);
    }
    CHECK(phases > 5);
}

} // namespace

TEST_CASE("a backend can be destroyed in any phase of a batch, which continues to its end") {
    in_every_phase(false, [](RunningBatch& batch) {
        batch.backend.reset();
        run_until(*batch.io, [&] { return batch.completions > 0; });
        CHECK(batch.completions == 1);
        CHECK_FALSE(batch.threw);
        REQUIRE(batch.result.size() == 2);
        CHECK(batch.result[0].value().pods.size() == 1);
    });
}

TEST_CASE("an io_context can be destroyed in any phase of a batch, before or after the backend") {
    const bool hold = GENERATE(false, true);
    const bool backend_first = GENERATE(false, true);
    in_every_phase(hold, [&](RunningBatch& batch) {
        const int completions = batch.completions;
        if (backend_first)
            batch.backend.reset();
        batch.io.reset();
        CHECK(batch.completions == completions);
        batch.backend.reset();
    });
}

TEST_CASE("a batch that is cancelled in any phase completes once, without waiting for answers") {
    const bool hold = GENERATE(false, true);
    in_every_phase(hold, [](RunningBatch& batch) {
        batch.cancel.emit(asio::cancellation_type::terminal);
        run_until(*batch.io, [&] { return batch.completions > 0; });
        run_ready(*batch.io);
        CHECK(batch.completions == 1);
    });
}

TEST_CASE("a Prometheus that stops in any phase of a batch ends it") {
    const bool hold = GENERATE(false, true);
    in_every_phase(hold, [](RunningBatch& batch) {
        batch.fake->stop();
        run_until(*batch.io, [&] { return batch.completions > 0; });
        CHECK_FALSE(batch.threw);
        REQUIRE(batch.result.size() == 2);
    });
}

TEST_CASE("batches can run concurrently on a thread pool") {
    asio::thread_pool pool(4);
    FakePrometheus fake(pool.get_executor());
    std::vector<VariantAutoscaling> variants;
    for (int i = 0; i < 20; ++i) {
        variants.push_back(variant_of("llama", "m" + std::to_string(i)));
        fake.set_rate(series("vllm:request_success_total",
                             {"llama-7d9f8b6c5d-aaaaa", variants.back().model_id}),
                      i + 1);
    }
    PrometheusConfig config = PrometheusConfig::at(fake.url());
    config.limits.max_models_per_query = 3; // So that many queries end at the same moment.
    PrometheusBackend backend(pool.get_executor(), config);
    std::vector<std::future<std::vector<Result<OptimizerMetrics>>>> batches;
    for (int i = 0; i < 8; ++i)
        batches.push_back(
            asio::co_spawn(pool, backend.fetch_optimizer_metrics(variants), asio::use_future));
    for (auto& batch : batches) {
        const auto answers = batch.get();
        for (std::size_t i = 0; i < answers.size(); ++i) {
            CAPTURE(i);
            CHECK(answers[i].value().arrival_rate_per_minute.has_value());
        }
    }
    fake.stop();
    pool.stop();
    pool.join();
}
