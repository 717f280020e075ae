// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/each_server.hpp"
#include "support/http_exchange.hpp"
#include "support/real_server.hpp"
#include "wva_metrics/exposition/content_type.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

/// The exporter of the machine's own metrics, from the path in WVA_METRICS_NODE_EXPORTER.
class RealNodeExporter final : public RealServer {
public:
    explicit RealNodeExporter(std::string binary)
        : RealServer("node_exporter", "/metrics", std::chrono::seconds(30)),
          binary_(std::move(binary)) {
        launch();
    }

private:
    std::vector<std::string> prepare() const override {
        return {binary_, "--web.listen-address=127.0.0.1:" + std::to_string(port())};
    }

    std::string binary_;
};

/// A program that publishes each type of metric and every odd text and number, by Prometheus' client
/// for Python: the interpreter in WVA_METRICS_PYTHON, and the folder that has the package
/// `prometheus_client` in WVA_METRICS_PYTHON_CLIENT.
class RealPythonClient final : public RealServer {
public:
    RealPythonClient(std::string python, std::string packages)
        : RealServer("python_client", "/metrics", std::chrono::seconds(30)),
          python_(std::move(python)), packages_(std::move(packages)) {
        launch();
    }

private:
    std::vector<std::string> prepare() const override {
        write_file("page.py", program);
        return {python_, (directory() / "page.py").string(), packages_, std::to_string(port())};
    }

    static constexpr const char* program = R"(
import sys, threading, time
sys.path.append(sys.argv[1])
from prometheus_client import *
from prometheus_client.core import *
requests = Counter('my_requests', 'With "quotes", \\ and\na line feed.', ['path', 'code'])
requests.labels('/a"b\\c\nd{}=,#', '200').inc(3, exemplar={'trace_id': 'abc'})
requests.labels('/\u00fc\u2713\U0001f600', '').inc(2**60)
latency = Histogram('latency_seconds', 'h', ['m'], buckets=[.001, .1, 1, 1e6, 1e21])
latency.labels('x').observe(.05, {'id': '1'})
latency.labels('y').observe(1e300)
Summary('size_bytes', 's').observe(-0.0)
numbers = Gauge('numbers', 'g', ['k'], unit='seconds')
for text in ['inf', '-inf', 'nan', '-0.0', '5e-324', '2e-308', '1.7976931348623157e308',
             '9007199254740993', '0.1', '-1e-7', '123456789.123456789']:
    numbers.labels(text).set(float(text))
Enum('state', 'e', states=['a', 'b', 'c d']).state('b')
Info('build', 'i').info({'version': '1.2', 'x': 'y"z'})
class Others:
    def collect(self):
        timed = GaugeMetricFamily('timed', 't', labels=['a'])
        timed.add_metric(['1'], 4.5, timestamp=time.time() - 2)
        yield timed
        yield GaugeHistogramMetricFamily('waiting', 'w', buckets=[('1.0', 3), ('+Inf', 5)],
                                         gsum_value=7)
        yield UntypedMetricFamily('untyped', 'u', value=4)
REGISTRY.register(Others())
start_http_server(int(sys.argv[2]), '127.0.0.1')
threading.Event().wait()
)";

    std::string python_;
    std::string packages_;
};

/// An answer that a real program gave when it was asked for its metrics.
struct RealPage {
    std::string name; ///< Of the program and the format that it was asked for, without blanks.
    std::string content_type;
    std::string body;
};

/// Asks a program for its page in each format, as the library asks, and adds the pages in those that
/// it has.
inline void add_pages(std::vector<RealPage>& pages, const RealServer& program) {
    const std::vector<std::pair<std::string_view, std::string>> formats{
        {"text/plain", "text/plain;version=0.0.4"},
        {"application/openmetrics-text", exposition::accept_header()},
        {"application/vnd.google.protobuf", exposition::accept_header({.protobuf = true})}};
    for (const auto& [media_type, accept] : formats) {
        HttpAnswer answer = exchange(program.port(), "GET", "/metrics", {}, {}, "Accept", accept);
        INFO(program.name() << " was asked for " << accept);
        REQUIRE(answer.status == 200);
        // Programs answer with text if they do not have the other format.
        if (answer.content_type.starts_with(media_type))
            pages.push_back(
                {program.name() + "-" + std::string(media_type.substr(media_type.find('/') + 1)),
                 std::move(answer.content_type), std::move(answer.body)});
    }
}

/// The pages of all programs that are installed, fetched once for all tests. Warns of each program
/// that is missing.
inline const std::vector<RealPage>& real_pages() {
    static const std::vector<RealPage> all = [] {
        std::vector<RealPage> pages;
        for (const RealMake make :
             {RealMake::prometheus, RealMake::prometheus3, RealMake::victoria_metrics}) {
            if (program_at(variable_of(make)))
                add_pages(pages, shared_server(make));
            else
                WARN("SKIPPED: no pages of a real server: set " << variable_of(make));
        }
        if (const auto binary = program_at("WVA_METRICS_NODE_EXPORTER"))
            add_pages(pages, RealNodeExporter(*binary));
        else
            WARN("SKIPPED: no pages of prometheus-node-exporter: set WVA_METRICS_NODE_EXPORTER");
        const auto python = program_at("WVA_METRICS_PYTHON");
        const char* const packages = std::getenv("WVA_METRICS_PYTHON_CLIENT");
        if (python && packages != nullptr)
            add_pages(pages, RealPythonClient(*python, packages));
        else
            WARN("SKIPPED: no pages of Prometheus' client for Python: set WVA_METRICS_PYTHON and "
                 "WVA_METRICS_PYTHON_CLIENT");
        return pages;
    }();
    return all;
}

} // namespace wva_metrics::test_support
