// SPDX-License-Identifier: Apache-2.0
//
// What it costs to scrape many pods: 100 of them 20 times a second, and 1 000 once a second, beside a
// loop that only reads the same bytes.
#include <wva_metrics/backend/pod_backend.hpp>
#include <wva_metrics/exposition/text_parser.hpp>

#include "http_query/stub_server.hpp"
#include "support/allocations.hpp"
#include "support/measurement.hpp"
#include "support/vllm_page.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <sys/resource.h>

using namespace wva_metrics;
namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

/// How many pods are scraped how often.
struct Fleet {
    std::size_t pods;
    Duration interval;

    double pages_per_second() const {
        return static_cast<double>(pods) / std::chrono::duration<double>(interval).count();
    }
};

/// What a loop needs.
struct Cost {
    double core_percent =
        0; ///< At the wanted rate of pages, also if the machine is too busy for it.
    double pages_per_second = 0;
    double wake_ups_per_second = 0;
    double kilobytes_per_pod = 0;
};

double wake_ups() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_nvcsw);
}

/// Runs the loop, which has begun to read pages, and measures a part of it; without the server, which has a
/// thread of its own.
Cost measure(asio::io_context& io, const bench::StubServer& server, const Fleet& fleet,
             Duration time, std::size_t heap_before) {
    io.run_for(fleet.interval); // So that each pod has been read more than once.
    const std::uint64_t pages_before = server.requests();
    const double cpu_before = bench::thread_cpu_seconds();
    const double wake_ups_before = wake_ups();
    const double start = bench::seconds_now();
    io.run_for(time);
    const double seconds = bench::seconds_now() - start;
    const auto pages = static_cast<double>(server.requests() - pages_before);
    bench::require(pages > 0, "no page was read");
    Cost cost;
    cost.core_percent =
        (bench::thread_cpu_seconds() - cpu_before) / pages * fleet.pages_per_second() * 100;
    cost.pages_per_second = pages / seconds;
    cost.wake_ups_per_second = (wake_ups() - wake_ups_before) / seconds;
    cost.kilobytes_per_pod =
        (static_cast<double>(bench::heap_bytes()) - static_cast<double>(heap_before)) / 1000 /
        static_cast<double>(fleet.pods);
    return cost;
}

const ModelKey model("llm", "meta-llama/Llama-3.1-8B-Instruct");

/// The backend, as a collector uses it: asked once, it scrapes the pods at their times.
Cost measure_backend(const bench::StubServer& server, const Fleet& fleet, Duration time) {
    const std::size_t heap_before = bench::heap_bytes();
    PodConfig config;
    for (std::size_t i = 0; i < fleet.pods; ++i) {
        scrape::ScrapeTarget target;
        target.pod = "pod-" + std::to_string(i);
        target.url = "http://127.0.0.1:" + std::to_string(server.port()) + "/" + target.pod;
        target.namespace_name = model.namespace_name;
        config.targets.push_back(std::move(target));
    }
    config.schedule.interval = fleet.interval;
    config.ask_by_name = false; // Each scrape reads the whole page.
    asio::io_context io{1};
    const PodBackend backend(io.get_executor(), std::move(config));
    bool is_answered = false;
    asio::co_spawn(
        io, PodBackend(backend).fetch_replica_samples({model}),
        [&](const std::exception_ptr& thrown, auto answers) {
            bench::require(!thrown && answers.at(0).has_value(), "the pods are not read");
            bench::require(answers[0]->pods.size() >= fleet.pods, "not every pod is there");
            is_answered = true;
        });
    while (!is_answered)
        io.run_one();
    return measure(io, server, fleet, time, heap_before);
}

asio::awaitable<void> read_pages(tcp::socket socket, std::string path, TimePoint due,
                                 Duration interval) {
    const std::string request = "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    asio::steady_timer timer(socket.get_executor());
    // Without room, Beast would read 512 bytes at a time, and each body would be a new allocation.
    boost::beast::flat_buffer buffer;
    buffer.reserve(std::size_t{64} << 10);
    std::string body;
    for (;; due += interval) {
        timer.expires_at(due);
        co_await timer.async_wait(asio::use_awaitable);
        co_await asio::async_write(socket, asio::buffer(request), asio::use_awaitable);
        boost::beast::http::response_parser<boost::beast::http::string_body> parser;
        body.clear();
        parser.get().body() = std::move(body);
        co_await boost::beast::http::async_read(socket, buffer, parser, asio::use_awaitable);
        body = std::move(parser.get().body());
        bench::require(body.size() > 80'000, "a page was not read");
    }
}

/// A small program with Beast that reads the same pages into memory that it uses again: it has no
/// deadlines and no bounds, and does nothing with what it reads.
Cost measure_beast(const bench::StubServer& server, const Fleet& fleet, Duration time) {
    const std::size_t heap_before = bench::heap_bytes();
    asio::io_context io{1};
    const TimePoint start = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < fleet.pods; ++i) {
        tcp::socket socket(io);
        socket.connect({asio::ip::address_v4::loopback(), server.port()});
        const auto phase = fleet.interval * static_cast<int>(i) / static_cast<int>(fleet.pods);
        asio::co_spawn(io,
                       read_pages(std::move(socket), "/pod-" + std::to_string(i), start + phase,
                                  fleet.interval),
                       asio::detached);
    }
    io.run_for(fleet.interval);
    return measure(io, server, fleet, time, heap_before);
}

/// The percentage of a core that parsing alone takes. Each pod has its parser, as in the backend.
double measure_parsing(const std::string& page, const Fleet& fleet, std::size_t rounds) {
    const exposition::WantedMetrics wanted = bench::wanted_vllm_metrics();
    std::vector<exposition::TextParser> parsers(
        fleet.pods, exposition::TextParser(exposition::TextFormat::prometheus_0_0_4, wanted));
    double sum = 0;
    const auto add = [&](const exposition::PageSample& sample) { sum += sample.value; };
    const auto parse_all = [&] {
        for (exposition::TextParser& parser : parsers) {
            parser.restart();
            bench::require(parser.feed(page, add).has_value() && parser.finish(add).has_value(),
                           "the page is refused");
        }
    };
    parse_all();
    const double before = bench::cpu_seconds();
    for (std::size_t round = 0; round < rounds; ++round)
        parse_all();
    bench::keep(sum);
    const double seconds = bench::cpu_seconds() - before;
    return seconds / static_cast<double>(rounds * fleet.pods) * fleet.pages_per_second() * 100;
}

void allow_many_sockets() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace

int main(int count, char** arguments) {
    using namespace std::chrono_literals;
    const bench::Options options = bench::parse_options(
        count, arguments, {"What it costs to scrape 100 pods 20 times a second, and 1 000 once."});
    allow_many_sockets();
    const std::string page = bench::vllm_page();
    const bench::StubServer server(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: " +
        std::to_string(page.size()) + "\r\n\r\n" + page);
    const Duration time = options.pick<Duration>(5s, 2s, 100ms);

    const Fleet often{options.pick<std::size_t>(100, 100, 10), 50ms};
    const std::string often_work = bench::grouped(often.pods) + " pods, 20 scrapes a second, 90 kB";
    const bench::Row parsing("pods scraped: parsing alone", often_work, "% of a core",
                             bench::Better::less);
    parsing.ours(measure_parsing(page, often, options.pick<std::size_t>(100, 40, 1)));
    parsing.target_at_most(2);
    const bench::Row http("pods scraped", often_work, "% of a core", bench::Better::less);
    http.ours(measure_backend(server, often, time).core_percent);
    http.target_at_most(10);
    http.peer("Beast, reads only", measure_beast(server, often, time).core_percent);

    const Fleet many{options.pick<std::size_t>(1000, 1000, 20),
                     options.pick<Duration>(1s, 1s, 50ms)};
    const std::string work = bench::grouped(many.pods) + " pods, a scrape a second, 90 kB";
    const Cost ours = measure_backend(server, many, time);
    const Cost beast = measure_beast(server, many, time);
    const auto report = [&](const std::string& more, const char* unit, bench::Better better,
                            double Cost::*value, double at_least) {
        const bench::Row row("pods scraped" + more, work, unit, better);
        row.ours(ours.*value);
        row.peer("Beast, reads only", beast.*value, at_least);
    };
    report("", "% of a core", bench::Better::less, &Cost::core_percent, 1 / 1.5);
    report(": pages read", "1/s", bench::Better::more, &Cost::pages_per_second, 0);
    report(": wake-ups", "1/s", bench::Better::less, &Cost::wake_ups_per_second, 0);
    report(": memory", "kB per pod", bench::Better::less, &Cost::kilobytes_per_pod, 0);
}
