// SPDX-License-Identifier: Apache-2.0
//
// A simulated fleet of vLLM and other inference servers, for the other examples and the tests. It serves the metrics
// that Prometheus would scrape from such servers. The load rises and falls, and commands cause the
// faults of a real fleet. This is a tool, not an example of how to use the library. For its options
// see `vllm_fleet --help`.
//
//   vllm_fleet/engine.hpp            one vLLM engine: queue, batch, KV cache, counters
//   vllm_fleet/simulation.hpp        the fleet: models, deployments, pods
//   vllm_fleet/metric_families.hpp   the metrics that vLLM has, by version
//   vllm_fleet/dialects/             what other kinds of servers publish, one file each
//   vllm_fleet/exposition.hpp        the series of the fleet
//   vllm_fleet/text_page.hpp         the text page of them
//   vllm_fleet/load_report.hpp       the header (ORCA) in which a server reports its load
//   vllm_fleet/epp_page.hpp          the page of an endpoint picker
//   vllm_fleet/control.hpp           the commands that change the fleet while it runs
//   vllm_fleet/application.hpp       the pages that the fleet serves
//   vllm_fleet/http_server.hpp       a small HTTP server
//   vllm_fleet/fake_scraper.hpp      the library's fake Prometheus, which scrapes the fleet
//   vllm_fleet/ready_file.hpp        the addresses of the fleet, for other programs

#include "vllm_fleet/application.hpp"
#include "vllm_fleet/fake_scraper.hpp"
#include "vllm_fleet/http_server.hpp"
#include "vllm_fleet/listen.hpp"
#include "vllm_fleet/options.hpp"
#include "vllm_fleet/ready_file.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <exception>
#include <functional>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

namespace {

using namespace vllm_fleet;
namespace chrono = std::chrono;

/// Calls `tick` every quarter of a second: pages that are read twice within a second must not count
/// the same requests. Repeats missed calls, but only a few, because the machine may have been
/// suspended for hours.
asio::awaitable<void> run_clock(std::function<void()> tick) {
    constexpr auto token = asio::as_tuple(asio::use_awaitable);
    constexpr auto quarter = chrono::milliseconds(250);
    constexpr int max_missed = 20;
    asio::steady_timer timer(co_await asio::this_coro::executor);
    auto due = chrono::steady_clock::now();
    for (;;) {
        due = std::max(due + quarter, chrono::steady_clock::now() - max_missed * quarter);
        timer.expires_at(due);
        const auto [error] = co_await timer.async_wait(token);
        if (error)
            co_return;
        tick();
    }
}

int run(const Options& options) {
    asio::io_context context(1);
    asio::signal_set signals(context, SIGINT, SIGTERM);
    signals.async_wait([&](const beast::error_code&, int) { context.stop(); });

    asio::ip::tcp::acceptor acceptor(context);
    listen("--listen", options.listen, [&](const asio::ip::tcp::endpoint& endpoint) {
        acceptor = asio::ip::tcp::acceptor(context, endpoint);
    });
    std::ostringstream fleet_address;
    fleet_address << acceptor.local_endpoint();
    std::optional<FakeScraper> scraper;
    if (!options.fake_prometheus.empty())
        listen("--fake-prometheus", options.fake_prometheus,
               [&](const asio::ip::tcp::endpoint& endpoint) {
                   if (endpoint.address() != asio::ip::address_v4::loopback())
                       throw UsageError("--fake-prometheus listens on 127.0.0.1 only");
                   scraper.emplace(context, endpoint.port(), fleet_address.str());
               });

    Application application(options);
    const auto scrape = [&](chrono::seconds ago) {
        if (scraper)
            scraper->scrape(*application.metrics_page(), chrono::system_clock::now() - ago);
    };
    for (int left = options.warm_up_seconds; left > 0; --left) {
        application.tick();
        scrape(chrono::seconds(left));
    }
    for (const std::string& command : options.controls)
        application.apply(command);

    asio::co_spawn(context,
                   serve(std::move(acceptor),
                         [&](const Request& request) { return application.handle(request); }),
                   asio::detached);
    int quarters = 0;
    asio::co_spawn(context, run_clock([&] {
                       application.tick_quarter();
                       if (++quarters % 4 == 0)
                           scrape(chrono::seconds(0));
                   }),
                   asio::detached);
    announce(options.ready_file, ready_text(application.fleet(), fleet_address.str(),
                                            scraper ? scraper->address() : ""));
    context.run();
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    try {
        const Options options = parse_options({argv + 1, argv + argc});
        if (options.help) {
            std::cout << usage();
            return 0;
        }
        return run(options);
    } catch (const UsageError& error) {
        std::cerr << "vllm_fleet: " << error.what() << "; see --help\n";
        return 2;
    } catch (const ControlError& error) {
        const std::string problem = error.what(); // It may end with a list of the commands.
        std::cerr << "vllm_fleet: --control: " << problem
                  << (problem.ends_with('\n') ? "" : "; see --help\n");
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "vllm_fleet: " << error.what() << '\n';
        return 1;
    }
}
