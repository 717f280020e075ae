// SPDX-License-Identifier: Apache-2.0
//
// One query over a kept connection, sent to a real Prometheus and to a stub that is never the
// bottleneck: the client's CPU time per query, and queries per second.
//
// Further option: `--go-peer=PATH` is the program built from peers/http_query.go. Prometheus is
// found by the environment variable WVA_METRICS_PROMETHEUS, or on the PATH.
#include "http_query/askers.hpp"
#include "http_query/stub_server.hpp"
#include "support/measurement.hpp"

#include "../tests/support/child_process.hpp"
#include "../tests/support/real_prometheus.hpp"
#include "../tests/support/temporary_directory.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

using namespace bench;
using namespace std::chrono_literals;
using wva_metrics::test_support::ChildProcess;
using wva_metrics::test_support::RealPrometheus;
using wva_metrics::test_support::TemporaryDirectory;

namespace {

struct Seen {
    double queries_per_second = 0;
    double cpu_microseconds = 0;
};

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

/// The median of several rounds.
class Rounds {
public:
    void add(const Seen& seen) {
        rates_.push_back(seen.queries_per_second);
        costs_.push_back(seen.cpu_microseconds);
    }
    bool empty() const { return rates_.empty(); }
    double rate() const { return median(rates_); }
    double cost() const { return median(costs_); }

private:
    std::vector<double> rates_;
    std::vector<double> costs_;
};

std::optional<std::string> find_program(const std::string& name) {
    const char* path = std::getenv("PATH");
    std::istringstream directories(path == nullptr ? "" : path);
    for (std::string directory; std::getline(directories, directory, ':');)
        if (std::string file = directory + "/" + name; ::access(file.c_str(), X_OK) == 0)
            return file;
    return std::nullopt;
}

Seen measure(Asker& asker, std::size_t queries) {
    const double began = seconds_now();
    const double cpu = cpu_seconds();
    asker.ask(queries);
    const auto count = static_cast<double>(queries);
    return {count / (seconds_now() - began), (cpu_seconds() - cpu) * 1e6 / count};
}

/// The output of a program, which must end by itself within `patience`.
std::string run_program(std::vector<std::string> words, std::chrono::seconds patience) {
    const TemporaryDirectory directory;
    const auto file = directory.path() / "output";
    const std::string name = words.front();
    // The program must not inherit our sockets, because wrk rejects descriptors with high numbers.
    for (int descriptor = 3; descriptor < 1024; ++descriptor)
        ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    ChildProcess process(std::move(words), {file, directory.path() / "errors"});
    const bool has_ended = process.ended_within(patience);
    require(process.stop(0s) == 0 && has_ended, name + " failed or did not end");
    return wva_metrics::test_support::read_file(file);
}

/// The number after `label` in a program's output.
double number_after(const std::string& text, std::string_view label) {
    const std::size_t at = text.find(label);
    require(at != std::string::npos, "a peer did not print " + std::string(label));
    return std::strtod(text.c_str() + at + label.size(), nullptr);
}

class Comparison {
public:
    Comparison(const Options& options, std::optional<std::string> go_peer)
        : options_(options), wrk_(options.smoke ? std::nullopt : find_program("wrk")),
          go_peer_(std::move(go_peer)) {
        if (!wrk_ && !options.smoke)
            std::fprintf(stderr, "wrk is not on the PATH: its column stays empty\n");
        if (!go_peer_ && !options.smoke)
            std::fprintf(stderr, "no --go-peer=PATH: client_golang's column stays empty\n");
    }

    /// `has_targets`: whether targets are set for this server.
    void run(const std::string& server, std::uint16_t port, std::size_t connections,
             bool has_targets) {
        const auto queries = options_.pick<std::size_t>(connections == 1 ? 3000 : 12'000, 2000, 32);
        PrometheusAsker ours(port, connections);
        HttpAsker ours_http(port, connections);
        BeastAsker beast(port, connections);
        RawAsker raw(port, connections);
        Rounds of_ours, of_ours_http, of_beast, of_raw, of_go, of_wrk;
        const std::pair<Asker*, Rounds*> in_process[] = {
            {&ours, &of_ours}, {&beast, &of_beast}, {&ours_http, &of_ours_http}, {&raw, &of_raw}};
        for (const auto& each : in_process)
            each.first->ask(connections * 4); // Connects and warms up.
        const int rounds = options_.pick(7, 3, 1);
        for (int round = 0; round < rounds; ++round) {
            for (const auto& [asker, seen] : in_process)
                seen->add(measure(*asker, queries));
            if (wrk_)
                of_wrk.add(ask_by_wrk(port, connections));
            if (go_peer_)
                of_go.add(ask_by_go(port, connections, queries));
        }

        const bool one = connections == 1;
        const std::string work =
            server + ", " + std::to_string(connections) + (one ? " connection" : " connections");
        const std::string path = "one query over a kept connection";
        const Row cost(path, work, "client CPU us/query", Better::less);
        cost.ours(of_ours.cost());
        cost.peer("Beast, cached request", of_beast.cost(), has_targets ? 1 / 1.3 : 0);
        const Row rate(path, work, "queries/s", Better::more);
        rate.ours(of_ours.rate());
        rate.peer("Beast, cached request", of_beast.rate());
        if (!of_wrk.empty())
            rate.peer("wrk", of_wrk.rate(), has_targets && !one ? 0.95 : 0);
        if (!of_go.empty()) {
            // No target with 16 connections: there even raw sockets need hardly less than a fifth,
            // because most of it is the kernel's work.
            cost.peer("Go client_golang", of_go.cost(), has_targets && one ? 5 : 0);
            rate.peer("Go client_golang", of_go.rate());
        }

        // None of these decodes the body; above, ours and Go's do.
        const Row alone("one HTTP request over a kept connection", work, "client CPU us/request",
                        Better::less);
        alone.ours(of_ours_http.cost());
        alone.peer("Beast, cached request", of_beast.cost());
        alone.peer("raw sockets", of_raw.cost());
    }

private:
    static std::string url(std::uint16_t port) {
        return "http://127.0.0.1:" + std::to_string(port);
    }

    Seen ask_by_wrk(std::uint16_t port, std::size_t connections) const {
        const TemporaryDirectory directory;
        const std::string script = (directory.path() / "post.lua").string();
        std::ofstream(script) << "wrk.method = 'POST'\nwrk.body = '" << form
                              << "'\nwrk.headers['Content-Type'] = '" << form_type << "'\n";
        const std::string output =
            run_program({*wrk_, "-t1", "-c" + std::to_string(connections), "-d1s", "-s", script,
                         url(port) + std::string(target)},
                        30s);
        // wrk counts rejected requests too, and continues with fewer connections, but reports both.
        require(output.find("Non-2xx") == std::string::npos &&
                    output.find("Socket errors") == std::string::npos,
                "a request of wrk was not answered");
        return {number_after(output, "Requests/sec:"), 0};
    }
    Seen ask_by_go(std::uint16_t port, std::size_t connections, std::size_t queries) const {
        const std::string output = run_program(
            {*go_peer_, url(port), std::to_string(connections), std::to_string(queries)}, 60s);
        return {number_after(output, "queries/s:"), number_after(output, "CPU us/query:")};
    }

    Options options_;
    std::optional<std::string> wrk_;
    std::optional<std::string> go_peer_;
};

/// A Prometheus with one series: `up` of a target that does not exist, so scraping costs nothing.
std::unique_ptr<RealPrometheus> start_prometheus(const std::string& binary) {
    RealPrometheus::Options options;
    options.config = "global:\n  scrape_interval: 1s\nscrape_configs:\n  - job_name: nobody\n"
                     "    static_configs:\n      - targets: ['127.0.0.1:1']\n";
    auto prometheus = std::make_unique<RealPrometheus>(binary, options);
    const auto give_up = std::chrono::steady_clock::now() + 30s;
    while (prometheus->query("up").body.find("nobody") == std::string::npos) {
        require(std::chrono::steady_clock::now() < give_up, "Prometheus did not scrape");
        ::usleep(20'000);
    }
    return prometheus;
}

std::string stub_answer() {
    // The answer of Prometheus 2.42.
    const std::string body =
        R"({"status":"success","data":{"resultType":"vector","result":[{"metric":)"
        R"({"__name__":"up","instance":"127.0.0.1:1","job":"nobody"},"value":[1700000000.123,"0"]}]}})";
    return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
           "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
}

constexpr Help help{
    "One query over a kept connection, sent to a real Prometheus and to a stub that is never the\n"
    "bottleneck: the client's CPU time per query, and queries per second. Set\n"
    "WVA_METRICS_PROMETHEUS to the path of a Prometheus, or have it on the PATH.",
    "  --go-peer=PATH  the program built from peers/http_query.go\n"};

} // namespace

int main(int count, char** arguments) {
    std::optional<std::string> go_peer;
    const Options options = parse_options(count, arguments, help, [&](std::string_view option) {
        constexpr std::string_view name = "--go-peer=";
        if (!option.starts_with(name))
            return false;
        go_peer = option.substr(name.size());
        return true;
    });
    Comparison comparison(options, std::move(go_peer));

    auto binary = wva_metrics::test_support::find_prometheus();
    if (!binary)
        binary = find_program("prometheus");
    if (binary) {
        const auto prometheus = start_prometheus(*binary);
        for (const std::size_t connections : {1U, 16U})
            comparison.run("Prometheus", prometheus->port(), connections, true);
    } else {
        std::fprintf(stderr,
                     "NO PROMETHEUS: set WVA_METRICS_PROMETHEUS to the path of its binary. The "
                     "targets that need it are not measured; only a stub is queried.\n");
    }
    const std::string answer = stub_answer();
    const StubServer stub(answer);
    for (const std::size_t connections : {1U, 16U})
        comparison.run("stub server", stub.port(), connections, false);
}
