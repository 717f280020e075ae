// SPDX-License-Identifier: Apache-2.0
//
// The cost of a hit from end to end, with `find_optimizer_metrics` and `find_replica_metrics` on
// two threads, compared with the cache read that is part of it.
#include <wva_metrics/cache/sharded_cache.hpp>
#include <wva_metrics/collector.hpp>

#include "support/cache_work.hpp"
#include "support/measurement.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

using namespace wva_metrics;
namespace asio = boost::asio;

namespace {

/// Returns the number in a variant's name as its arrival rate, and three pods for every model.
class Backend {
public:
    asio::awaitable<Result<Availability>> check_availability(ModelKey) {
        co_return Availability{true, AvailabilityReason::metrics_found, {}};
    }
    asio::awaitable<std::vector<Result<OptimizerMetrics>>>
    fetch_optimizer_metrics(std::vector<VariantAutoscaling> variants) {
        std::vector<Result<OptimizerMetrics>> answers;
        for (const VariantAutoscaling& variant : variants) {
            OptimizerMetrics metrics;
            const double number = std::stod(variant.name.substr(variant.name.rfind('-') + 1));
            for (auto* reading :
                 {&metrics.arrival_rate_per_minute, &metrics.avg_input_tokens,
                  &metrics.avg_output_tokens, &metrics.ttft_seconds, &metrics.itl_seconds})
                *reading = Reading<double>::measured(number, std::chrono::steady_clock::now());
            answers.emplace_back(std::move(metrics));
        }
        co_return answers;
    }
    asio::awaitable<std::vector<Result<ReplicaSamples>>>
    fetch_replica_samples(std::vector<ModelKey> models) {
        std::vector<Result<ReplicaSamples>> answers;
        for (const ModelKey& model : models) {
            ReplicaSamples samples;
            for (const char* pod :
                 {"-6b5d7c8f9d-2xk4p", "-6b5d7c8f9d-7q9wz", "-6b5d7c8f9d-m3v8t"}) {
                ReplicaSample sample;
                sample.pod = "va-" + model.model_id + pod;
                const auto now = std::chrono::steady_clock::now();
                sample.kv_cache_usage = Reading<double>::measured(0.5, now);
                sample.queue_length = Reading<double>::measured(2, now);
                samples.pods.push_back(std::move(sample));
            }
            answers.emplace_back(std::move(samples));
        }
        co_return answers;
    }
};

constexpr bench::Help help{
    "The time of a hit, with find_optimizer_metrics and find_replica_metrics on two threads,\n"
    "compared with the cache read that is part of it."};

} // namespace

int main(int count, char** arguments) {
    const bench::Options options = bench::parse_options(count, arguments, help);
    constexpr std::size_t variants = 1'000;
    constexpr int threads = 2;
    const auto each = options.pick<std::size_t>(1'500'000, 400'000, 1'000);

    asio::io_context io;
    CollectorConfig config;
    config.cache.ttl = std::chrono::hours(1); // Longer than the benchmark runs.
    config.cache.freshness_thresholds = {std::chrono::hours(1), std::chrono::hours(1),
                                         std::chrono::hours(2)};
    Collector<Backend, ShardedCache> collector(io.get_executor(), Backend(), config);

    std::vector<VariantKey> keys;
    std::vector<ModelKey> models;
    std::vector<std::vector<VariantAutoscaling>> variants_of;
    std::vector<VariantHandle> handles;
    std::vector<ModelHandle> model_handles;
    std::vector<std::shared_ptr<ShardedCache::Cell>> cells;
    std::size_t collected = 0;
    for (std::size_t i = 0; i < variants; ++i) {
        const std::string number = std::to_string(i);
        const VariantAutoscaling variant("ns-" + std::to_string(i % 100),
                                         "llama-3-70b-va-" + number, number, "va-" + number,
                                         "A100");
        keys.push_back(variant.key());
        models.push_back(variant.model());
        variants_of.push_back({variant});
        handles.push_back(collector.handle(variant));
        model_handles.push_back(collector.handle(variant.model()));
        cells.push_back(collector.cache().cell(optimizer_key(keys.back())));
        collector.async_collect_optimizer_metrics(
            variant,
            [&](const Result<OptimizerSnapshot>& result) { collected += result.has_value(); });
        collector.async_collect_replica_metrics(
            variant.model(), variants_of.back(),
            [&](const Result<ReplicaSnapshot>& result) { collected += result.has_value(); });
    }
    io.run();
    bench::require(collected == 2 * variants, "some targets were not collected");

    const auto order = bench::random_order(variants, std::size_t{1} << 16);
    const auto nanoseconds = [&](const auto& operation) {
        bench::mops(threads, each / 4, order, operation); // Warms up.
        return 1e3 * threads / bench::mops(threads, each, order, operation);
    };
    const auto number_of = [](const OptimizerMetrics& metrics) {
        return static_cast<std::uint64_t>(metrics.arrival_rate_per_minute.value());
    };

    const double read = nanoseconds([&](std::uint32_t i, std::size_t) {
        std::uint64_t number = 0;
        collector.cache().visit(optimizer_key(keys[i]), bench::now(), [&](const CacheEntry& entry) {
            number = number_of(*entry.get<OptimizerMetrics>());
        });
        return number;
    });
    const double optimizer = nanoseconds([&](std::uint32_t i, std::size_t) {
        const auto snapshot = collector.find_optimizer_metrics(keys[i]);
        return snapshot && snapshot->freshness() == Freshness::fresh ? number_of(**snapshot) : 0;
    });
    const double replicas = nanoseconds([&](std::uint32_t i, std::size_t) -> std::uint64_t {
        const auto snapshot = collector.find_replica_metrics(models[i], variants_of[i]);
        return snapshot && (*snapshot)->replicas.size() == 3 ? i : 0;
    });
    const double cell_read = nanoseconds([&](std::uint32_t i, std::size_t) {
        std::uint64_t number = 0;
        collector.cache().visit(*cells[i], bench::now(), [&](const CacheEntry& entry) {
            number = number_of(*entry.get<OptimizerMetrics>());
        });
        return number;
    });
    const double by_handle = nanoseconds([&](std::uint32_t i, std::size_t) {
        const auto snapshot = collector.find(handles[i]);
        return snapshot && snapshot->freshness() == Freshness::fresh ? number_of(**snapshot) : 0;
    });
    const double in_place = nanoseconds([&](std::uint32_t i, std::size_t) {
        std::uint64_t number = 0;
        collector.visit(handles[i], [&](const OptimizerView& view) {
            if (view.freshness() == Freshness::fresh)
                number = number_of(*view);
        });
        return number;
    });
    const double replicas_in_place = nanoseconds([&](std::uint32_t i, std::size_t) {
        std::uint64_t found = 0;
        collector.visit(model_handles[i], variants_of[i], [&](const ReplicaView& view) {
            found = view->replicas.size() == 3 ? i : 0;
        });
        return found;
    });
    bench::require(collector.stats().cache.hits >= 3 * threads * each, "hits were not counted");

    const std::string work = ", 1 000 variants, 2 threads";
    const auto report = [&](const char* operation, double ours) {
        const bench::Row row("collector hit", operation + work, "ns", bench::Better::less);
        row.ours(ours);
        row.peer("the cache's own read in place", read, 1.0 / 3);
    };
    report("find_optimizer_metrics", optimizer);
    report("find_replica_metrics", replicas);
    const auto report_handle = [&](const char* operation, double ours, double target,
                                   double of_cell) {
        const bench::Row row("collector hit by handle", operation + work, "ns",
                             bench::Better::less);
        row.ours(ours);
        if (target > 0)
            row.target_at_most(target);
        row.peer("the cache's own read by cell", cell_read, of_cell);
    };
    report_handle("visit", in_place, 12, 1 / 1.3);
    report_handle("find", by_handle, 0, 0);
    report_handle("visit, of a model's replicas", replicas_in_place, 0, 0);
    return 0;
}
