// SPDX-License-Identifier: Apache-2.0
//
// usage: soak <prometheus> <duration> <variants>
//        soak --world <directory> <variants> <epoch in seconds> <duration in milliseconds>
// Runs a collector for so long against a real Prometheus, whose world changes and fails. tests/README.md says what it
// checks. The second form is the world, which the first one starts. The exit status is 0 if all that was promised held, 1
// if not, 2 if the arguments are wrong, 130 if it was interrupted.
#include "soak/autoscaler.hpp"
#include "soak/faults.hpp"
#include "soak/fleet.hpp"
#include "soak/report.hpp"
#include "soak/world.hpp"
#include "support/child_process.hpp"
#include "support/real_prometheus.hpp"
#include "support/running_context.hpp"
#include "support/temporary_directory.hpp"
#include "wva_metrics/backend/prometheus_backend.hpp"
#include "wva_metrics/config.hpp"
#include "wva_metrics/format_duration.hpp"
#include "wva_metrics/http/tls.hpp"
#include "wva_metrics/parse_duration.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace wva_metrics::soak {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

std::atomic<bool> interrupted{false};

/// For a machine that is busy with this and more.
CollectorConfig collector_config(std::size_t variants) {
    CollectorConfig config;
    config.cache.fetch_interval = 10s;
    config.call_timeout = 30s;
    // Shorter than the long outages, so that last good values are served.
    config.cache.ttl = 20s;
    config.cache.stale_while_revalidate = 5s;
    config.max_tracked = variants;
    config.cache.max_entries = 3 * variants;
    config.cache.max_bytes = config.cache.max_entries * 4 * typical_entry_bytes;
    config.untrack_after = Duration::zero();
    return config;
}

PrometheusConfig backend_config(const World::Files& files, std::uint16_t port, Report report) {
    PrometheusConfig config = PrometheusConfig::at("https://localhost:" + std::to_string(port));
    config.batch_timeout = 28s;
    config.use_kube_state = false;
    http::ClientConfig& client = config.client.http;
    client.timeouts.attempt = 25s;
    client.timeouts.connect = client.timeouts.tls_handshake = 10s;
    client.credentials = http::Credentials::bearer_file(files.token());
    client.transport =
        http::make_tls_transport({.ca_file = files.authority(), .reload_interval = 1s}).value();
    client.protection.on_event = [report](const resilience::ProtectionEvent& event) mutable {
        report.count("protection: " + std::string(to_string(event.kind)));
    };
    return config;
}

/// The second process, with its files and ports.
class RunningWorld {
public:
    RunningWorld(std::size_t variants, std::chrono::seconds epoch,
                 std::chrono::milliseconds duration, const Stop& stop)
        : rotation_(files_),
          process_({"/proc/self/exe", "--world", directory_.path().string(),
                    std::to_string(variants), std::to_string(epoch.count()),
                    std::to_string(duration.count())},
                   {directory_.path() / "world.log", directory_.path() / "world.log"}) {
        stop.wait_until(30s, [&] { return std::filesystem::exists(files_.ports()); });
        std::ifstream(files_.ports()) >> page_ >> front_;
        if (front_ == 0)
            throw std::runtime_error("the world did not start:\n" +
                                     test_support::tail_of(directory_.path() / "world.log"));
    }

    const World::Files& files() const noexcept { return files_; }
    Rotation& rotation() noexcept { return rotation_; }
    std::uint16_t page() const noexcept { return page_; }
    std::uint16_t front() const noexcept { return front_; }

private:
    test_support::TemporaryDirectory directory_;
    World::Files files_{directory_.path()};
    Rotation rotation_;
    test_support::ChildProcess process_;
    std::uint16_t page_ = 0;
    std::uint16_t front_ = 0;
};

std::string scrape_config(std::uint16_t page) {
    return "global: {scrape_interval: 10s, scrape_timeout: 10s}\n"
           "scrape_configs:\n"
           "  - job_name: pods\n"
           "    honor_labels: true\n"
           "    static_configs: [{targets: ['127.0.0.1:" +
           std::to_string(page) + "']}]\n";
}

/// What has grown from one time to another; a connection pool may be as full as it is allowed to be.
void check_growth(const Figures& before, const Figures& after, Report& report) {
    constexpr std::size_t connections = 10;
    std::ostringstream words;
    words << " grew, from " << before << " to " << after;
    const auto has_grown = [](std::size_t from, std::size_t to) {
        constexpr std::size_t slack_kib = 8 << 10;
        return to > from + from / 10 + slack_kib;
    };
    if (has_grown(before.resident_kib, after.resident_kib) ||
        has_grown(before.allocated_kib, after.allocated_kib))
        report.fail("the memory" + words.str());
    if (after.descriptors > before.descriptors + connections)
        report.fail("the descriptors" + words.str());
    if (after.threads > before.threads)
        report.fail("the threads" + words.str());
}

int run(const std::string& binary, Duration duration, std::size_t variants) {
    const Stop stop([] { return interrupted.load(); });
    const auto epoch = std::chrono::floor<std::chrono::seconds>(
        std::chrono::system_clock::now().time_since_epoch());
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(duration);
    const Fleet fleet(variants, Fleet::Clock::time_point(epoch), milliseconds);
    Report report;
    RunningWorld world(variants, epoch, milliseconds, stop);
    test_support::RealPrometheus prometheus(
        binary, {.config = scrape_config(world.page()), .patience = 300s});
    test_support::write_file(world.files().prometheus_port(), std::to_string(prometheus.port()));

    test_support::RunningContext context;
    const asio::any_io_executor executor = context.context().get_executor();
    Autoscaler::CollectorType collector(
        executor, PrometheusBackend(executor, backend_config(world.files(), world.front(), report)),
        collector_config(variants), CountingObserver{report});
    for (std::size_t i = 0; i < fleet.variants(); ++i)
        collector.track(fleet.variant(i));
    for (std::size_t m = 0; m < fleet.models(); ++m)
        collector.track(fleet.model(m));
    collector.start_background_fetching();
    Autoscaler autoscaler(collector, fleet, report);

    // Faults and measurements have a thread of their own, from which Prometheus is started: it dies
    // with it.
    std::atomic<bool> done{false};
    std::vector<Figures> figures;
    // Long enough for some scrapes between two outages.
    const auto period = std::max<std::chrono::milliseconds>(30s, milliseconds / 13);
    const auto begun = SteadyClock::now();
    const auto recover = [&] {
        const TimePoint since = SteadyClock::now();
        const std::uint64_t rounds = report.counted(CountingObserver::good_rounds);
        const std::size_t all = fleet.variants() + fleet.models();
        if (!stop.wait_until(180s, [&] {
                return report.counted(CountingObserver::good_rounds) > rounds &&
                       autoscaler.count_renewed(since) == all;
            })) {
            if (!interrupted)
                report.fail("only " + std::to_string(autoscaler.count_renewed(since)) + " of " +
                            std::to_string(all) +
                            " values were collected again within three minutes");
            return false;
        }
        // Between two rounds, because an answer that is being read needs memory too.
        collector.stop_background_fetching();
        stop.wait_until(60s, [&] { return collector.stats().in_flight == 0; });
        figures.push_back(Figures::now());
        collector.start_background_fetching();
        std::cout << "after "
                  << format_duration(std::chrono::duration_cast<std::chrono::seconds>(
                         SteadyClock::now() - begun))
                  << ": " << figures.back() << std::endl;
        return true;
    };
    std::thread misfortune([&] {
        try {
            Faults faults(prometheus, world.rotation(), report, stop, period);
            constexpr std::size_t least = 4;
            while (recover() && (SteadyClock::now() < begun + duration || figures.size() < least))
                if (!faults.run_once())
                    break;
        } catch (const std::exception& failure) {
            report.fail(failure.what());
        }
        done = true;
    });
    while (!done) {
        autoscaler.ask_for_some();
        std::this_thread::sleep_for(100ms);
    }
    misfortune.join();
    if (!figures.empty()) // The first third warms up: caches fill, pods are replaced.
        check_growth(figures[figures.size() / 3], figures.back(), report);

    if (!interrupted && report.counted("answers: cache, fresh") == 0)
        report.fail("no fresh value was found in the cache");
    report.count("pods replaced", fleet.replaced(Fleet::Clock::now()));
    std::cout << "\nsoak of "
              << format_duration(
                     std::chrono::duration_cast<std::chrono::seconds>(SteadyClock::now() - begun))
              << ", " << fleet.variants() << " variants, " << fleet.models() << " models\n"
              << report;
    if (interrupted)
        return 130;
    std::cout << (report.has_failed() ? "FAILED" : "passed") << std::endl;
    return report.has_failed() ? 1 : 0;
}

std::optional<std::size_t> number(std::string_view text) {
    std::size_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    return failure == std::errc() && end == text.data() + text.size() && value > 0
               ? std::optional(value)
               : std::nullopt;
}

int start(const std::vector<std::string>& words) {
    if (words.size() == 5 && words[0] == "--world")
        World(Fleet(std::stoul(words[2]),
                    Fleet::Clock::time_point(std::chrono::seconds(std::stoll(words[3]))),
                    std::chrono::milliseconds(std::stoll(words[4]))),
              {words[1]})
            .run();
    const auto variants = words.size() == 3 ? number(words[2]) : std::nullopt;
    const auto duration = parse_duration(words.size() == 3 ? words[1] : "");
    if (!variants || !duration || *duration < 10s) {
        std::cerr << "usage: soak <prometheus> <duration of at least 10s> <variants>\n";
        return 2;
    }
    for (const int signal : {SIGINT, SIGTERM})
        std::signal(signal, [](int) { interrupted = true; });
    return run(words[0], *duration, *variants);
}

} // namespace
} // namespace wva_metrics::soak

int main(int argc, char** argv) {
    try {
        return wva_metrics::soak::start({argv + 1, argv + argc});
    } catch (const std::exception& failure) {
        std::cerr << "soak: " << failure.what() << '\n';
        return 1;
    }
}
