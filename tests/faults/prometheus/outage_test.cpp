// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/prometheus_backend.hpp"
#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/collector.hpp"
#include "wva_metrics/testing/fake_prometheus.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch_all.hpp>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace wva_metrics;
namespace asio = boost::asio;

/// All times of this test, which are those of the defaults, are this much shorter: an outage of a
/// minute takes three seconds. The test counts requests and compares times, but wants nothing to be
/// done in time: what bounds how slow the machine may be, such as a timeout, is not shortened.
constexpr int times_faster = 20;
constexpr Duration shortened(Duration time) {
    return time / times_faster;
}

CollectorConfig shortened_collector_config() {
    CollectorConfig config;
    CacheConfig& cache = config.cache;
    for (Duration* time : {&cache.ttl, &cache.fetch_interval, &cache.stale_while_revalidate,
                           &cache.negative_ttl, &cache.partial_ttl})
        *time = shortened(*time);
    config.call_timeout = std::chrono::minutes(2);
    return config;
}

PrometheusConfig shortened_backend_config(const std::string& url) {
    PrometheusConfig config = PrometheusConfig::at(url);
    http::ClientConfig& client = config.client.http;
    client.timeouts.attempt = config.batch_timeout = std::chrono::minutes(2);
    resilience::ProtectionConfig& protection = client.protection;
    for (Duration* time : {&protection.retry.first_backoff, &protection.retry.max_backoff,
                           &protection.retry.min_time, &protection.breaker.first_pause,
                           &protection.breaker.max_pause, &client.timeouts.address_retry,
                           &client.timeouts.max_address_retry})
        *time = shortened(*time);
    return config;
}

/// A thousand models in a Prometheus, a collector that asks it in rounds, and an autoscaler that asks
/// the collector: for twenty models each (shortened) second, one after the other. Everything is done
/// on one thread.
class ThousandModels {
public:
    static constexpr std::size_t count = 1000;
    static constexpr std::size_t models_per_second = 20;

    /// What the autoscaler was told.
    struct Answers {
        std::size_t errors = 0;
        /// About another model or variant than the one asked for, or with its number.
        std::size_t wrong = 0;
        std::size_t stale = 0;
        /// With samples after the time that `count_newer_than` was told.
        std::size_t newer = 0;
    };

    ThousandModels() {
        prometheus_.set_time(
            prometheus_.now()); // All samples are new, however long the test takes.
        for (std::size_t i = 0; i < count; ++i) {
            const std::string name = "model-" + std::to_string(i);
            variants_.emplace_back("llm", name, "org/" + name, name);
            const testing::FakePrometheus::Labels labels = {{"namespace", "llm"},
                                                            {"model_name", "org/" + name},
                                                            {"pod", name + "-5d9f8b6c5d-x2x4z"}};
            constexpr auto since = std::chrono::minutes(2);
            prometheus_.set_steady({"vllm:num_requests_running", labels}, 1, since);
            prometheus_.set_steady({"vllm:num_requests_waiting", labels}, number(i), since);
            prometheus_.set_rate({"vllm:request_success_total", labels}, number(i), since);
        }
        for (const VariantAutoscaling& variant : variants_) {
            collector_.track(variant);
            collector_.track(variant.model());
        }
        collector_.start_background_fetching();
    }

    testing::FakePrometheus& prometheus() { return prometheus_; }
    CollectorStats stats() const { return collector_.stats(); }
    const Answers& answers() const { return answers_; }

    /// The queries of the second round. Nothing else asks meanwhile.
    std::size_t queries_of_a_round() {
        run_until([&] { return stats().background_rounds == 1; });
        const std::size_t before = prometheus_.query_count();
        run_until([&] { return stats().background_rounds == 2; });
        return prometheus_.query_count() - before;
    }

    void keep_asking() {
        asio::co_spawn(io_, ask_for_all(), [](std::exception_ptr failure) {
            if (failure)
                std::rethrow_exception(failure);
        });
    }

    void count_newer_than(TimePoint time) {
        since_ = time;
        answers_.newer = 0;
    }

    /// The number of values that are known now, of variants and of models, whose samples are newer
    /// than this.
    std::size_t newer_than(TimePoint time) {
        std::size_t newer = 0;
        for (const VariantAutoscaling& variant : variants_) {
            const auto metrics = collector_.find_optimizer_metrics(variant.key());
            const auto replicas = collector_.find_replica_metrics(variant.model(), {&variant, 1});
            newer += metrics && oldest_sample(**metrics) > time ? 1U : 0U;
            newer += replicas && oldest_sample(**replicas) > time ? 1U : 0U;
        }
        return newer;
    }

    void run_for(Duration time) { io_.run_for(time); }
    template <typename Condition>
    void run_until(Condition condition) {
        const TimePoint give_up = std::chrono::steady_clock::now() + std::chrono::minutes(5);
        while (!condition()) {
            io_.run_one_until(give_up);
            if (std::chrono::steady_clock::now() > give_up)
                throw std::runtime_error("the condition did not become true");
        }
    }

private:
    /// Different for models that are asked for together.
    static double number(std::size_t model) { return 1.0 + static_cast<double>(model % 17); }

    asio::awaitable<void> ask_for_all() {
        asio::steady_timer timer(io_);
        for (std::size_t i = 0;; i = (i + 1) % count) {
            const VariantAutoscaling& variant = variants_[i];
            const std::vector<VariantAutoscaling> own = {variant};
            const Result<OptimizerSnapshot> metrics =
                co_await collector_.async_collect_optimizer_metrics(variant, asio::use_awaitable);
            note(metrics, metrics && (*metrics)->variant == variant.name &&
                              std::abs((*metrics)->arrival_rate_per_minute.value_or(0) -
                                       60 * number(i)) < 0.5);
            const Result<ReplicaSnapshot> replicas =
                co_await collector_.async_collect_replica_metrics(variant.model(), own,
                                                                  asio::use_awaitable);
            note(replicas, replicas && (*replicas)->replicas.size() == 1 &&
                               (*replicas)->replicas[0].variant == variant.name &&
                               (*replicas)->replicas[0].queue_length.value_or(0) == number(i));
            if (i % models_per_second == 0) {
                timer.expires_after(shortened(std::chrono::seconds(1)));
                co_await timer.async_wait(asio::use_awaitable);
            }
        }
    }

    template <typename Snapshot>
    void note(const Result<Snapshot>& answer, bool is_right) {
        if (!answer)
            ++answers_.errors;
        else if (!is_right)
            ++answers_.wrong;
        else if (answer->source() == Source::stale_on_error)
            ++answers_.stale;
        else if (oldest_sample(**answer) > since_)
            ++answers_.newer;
    }

    asio::io_context io_;
    testing::FakePrometheus prometheus_{io_};
    std::vector<VariantAutoscaling> variants_;
    Answers answers_;
    TimePoint since_{};
    Collector<PrometheusBackend, MemoryCache> collector_{
        io_.get_executor(),
        PrometheusBackend(io_.get_executor(), shortened_backend_config(prometheus_.url())),
        shortened_collector_config()};
};

} // namespace

TEST_CASE(
    "after an outage of a minute a Prometheus gets at most two rounds' queries in ten seconds") {
    ThousandModels fleet;
    const std::size_t queries_of_a_round = fleet.queries_of_a_round();
    REQUIRE(queries_of_a_round > 0);
    fleet.keep_asking();
    fleet.run_for(shortened(std::chrono::seconds(10)));

    fleet.prometheus().stop();
    fleet.run_for(shortened(std::chrono::seconds(1)));
    const TimePoint away_at = std::chrono::steady_clock::now();
    fleet.run_for(shortened(std::chrono::seconds(60)));
    fleet.run_until([&] { return fleet.answers().stale > 0; });
    CHECK(fleet.newer_than(away_at) == 0); // What is served is as old as its samples.

    const std::size_t before = fleet.prometheus().query_count();
    fleet.count_newer_than(std::chrono::steady_clock::now());
    fleet.prometheus().start();
    // The circuit breaker may need some time to notice. From then on the ten seconds count.
    fleet.run_until([&] { return fleet.prometheus().query_count() > before; });
    fleet.run_for(shortened(std::chrono::seconds(10)));
    const std::size_t queries = fleet.prometheus().query_count() - before;
    CAPTURE(queries_of_a_round);
    CHECK(queries <= 2 * queries_of_a_round);

    fleet.run_until([&] { return fleet.answers().newer >= fleet.models_per_second; });
    CHECK(fleet.answers().errors == 0);
    CHECK(fleet.answers().wrong == 0);
}
