// SPDX-License-Identifier: Apache-2.0
//
// How long a reader waits while the collector works on all that it tracks: background rounds one
// after the other, and invalidations that match nothing and so look at everything. Every hit is
// stale, the kind that has most to tell the collector.
#include "rounds/constant_backend.hpp"
#include "rounds/numbered_variants.hpp"
#include "support/measurement.hpp"

#include <wva_metrics/cache/sharded_cache.hpp>
#include <wva_metrics/collector.hpp>

#include <boost/asio/bind_immediate_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/system_executor.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using namespace bench;

namespace {

using Hits = Collector<ConstantBackend, ShardedCache>;

struct Wait {
    double median;
    double p99;
    double longest;
};

/// The microseconds that single calls of `read(variant)` take; a variant may be its handle.
template <typename Variant, typename Read>
Wait waits(std::size_t calls, const std::vector<Variant>& variants, const Read& read) {
    std::vector<double> each;
    each.reserve(calls);
    for (std::size_t i = 0; i < calls; ++i) {
        const Variant& variant = variants[i * 7919 % variants.size()];
        const double began = seconds_now();
        read(variant);
        each.push_back(1e6 * (seconds_now() - began));
    }
    std::ranges::sort(each);
    return {each[calls / 2], each[calls - 1 - calls / 100], each.back()};
}

/// Runs rounds and invalidations on two threads until it is destroyed.
class Scans {
public:
    Scans(boost::asio::io_context& io, Hits& collector)
        : io_(io), rounds_([&io] {
              io.restart();
              io.run();
          }),
          invalidations_([this, &collector] {
              while (!ended_)
                  collector.invalidate_prefix("allocation:no-such-team/");
          }) {}
    ~Scans() {
        ended_ = true;
        io_.stop();
        rounds_.join();
        invalidations_.join();
    }

private:
    boost::asio::io_context& io_;
    std::atomic<bool> ended_{false};
    std::thread rounds_;
    std::thread invalidations_;
};

void report(const std::string& operation, std::size_t tracked, const Wait& wait) {
    const auto row = [&](const char* which, double value) {
        const Row line("hit beside a scan",
                       operation + ", " + grouped(tracked) + " tracked: " + which, "us",
                       Better::less);
        line.ours(value);
        return line;
    };
    row("median", wait.median);
    row("99th percentile", wait.p99).target_at_most(1000);
    row("longest", wait.longest);
}

constexpr Help help{"How long a stale hit takes while everything that is tracked is fetched and "
                    "invalidated\non two other threads."};

} // namespace

int main(int count, char** arguments) {
    const Options options = parse_options(count, arguments, help);
    const auto tracked = options.pick<std::size_t>(100'000, 100'000, 100);
    const auto calls = options.pick<std::size_t>(200'000, 50'000, 1'000);

    boost::asio::io_context io;
    CollectorConfig config = roomy_config(tracked);
    config.cache.ttl = 1us; // Every hit is stale, and a round is due when the last one has ended.
    config.cache.stale_while_revalidate = 1h;
    config.max_handles = tracked;
    Hits collector(io.get_executor(), ConstantBackend(), config);
    std::vector<VariantAutoscaling> variants;
    std::vector<VariantHandle> handles;
    for (std::size_t i = 0; i < tracked; ++i) {
        variants.push_back(numbered_variant(i));
        collector.track(variants.back());
        handles.push_back(collector.handle(variants.back()));
    }
    require(collector.stats().handles == tracked, "some handles search by name");
    require(collector.start_background_fetching(), "background fetching did not start");
    while (collector.stats().background_rounds == 0)
        io.run_one();

    std::size_t hits = 0;
    const Scans scans(io, collector);
    report("find_optimizer_metrics", tracked,
           waits(calls, variants, [&](const VariantAutoscaling& variant) {
               hits += collector.find_optimizer_metrics(variant.key()).has_value();
           }));
    // Completed inside the call: what is measured is the collector, not the queue of its executor.
    report("async_collect_optimizer_metrics", tracked,
           waits(calls, variants, [&](const VariantAutoscaling& variant) {
               collector.async_collect_optimizer_metrics(
                   variant, boost::asio::bind_immediate_executor(
                                boost::asio::system_executor(),
                                [&](const Result<OptimizerSnapshot>& result) {
                                    hits += result.has_value();
                                }));
           }));
    report("find by handle", tracked, waits(calls, handles, [&](const VariantHandle& handle) {
               hits += collector.find(handle).has_value();
           }));
    report("visit by handle", tracked, waits(calls, handles, [&](const VariantHandle& handle) {
               hits += collector.visit(handle, [](const OptimizerView&) {});
           }));
    report("async_collect by handle", tracked,
           waits(calls, handles, [&](const VariantHandle& handle) {
               collector.async_collect(handle, boost::asio::bind_immediate_executor(
                                                   boost::asio::system_executor(),
                                                   [&](const Result<OptimizerSnapshot>& result) {
                                                       hits += result.has_value();
                                                   }));
           }));
    require(hits == 5 * calls, "some look-ups were no hits");
    require(collector.stats().cache.stale_hits >= hits, "some hits were not stale");
}
