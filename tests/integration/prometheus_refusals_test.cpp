// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/prometheus/client.hpp"

#include "support/real_prometheus.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>
#include <utility>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using prometheus::Flavor;

namespace {

/// A client of a real Prometheus whose queries may load 50 samples.
class LimitedPrometheus {
public:
    explicit LimitedPrometheus(std::string binary)
        : server_(std::move(binary), {.arguments = {"--query.max-samples=50"}}),
          client_(context_.get_executor(), config_of(server_)) {}

    Result<prometheus::AnswerInfo> query(std::string promql) {
        return run(client_.query(
            std::move(promql), [](const prometheus::SeriesView&) {}, {}, soon()));
    }
    Result<prometheus::ServerMake> flavor() { return run(client_.flavor(soon())); }

private:
    static prometheus::ClientConfig config_of(const RealPrometheus& server) {
        prometheus::ClientConfig config;
        config.http.url = server.url();
        return config;
    }
    static TimePoint soon() { return std::chrono::steady_clock::now() + std::chrono::minutes(1); }

    template <typename T>
    T run(boost::asio::awaitable<T> operation) {
        auto result =
            boost::asio::co_spawn(context_, std::move(operation), boost::asio::use_future);
        context_.restart();
        context_.run();
        return result.get();
    }

    RealPrometheus server_;
    boost::asio::io_context context_;
    prometheus::Client client_;
};

} // namespace

TEST_CASE(
    "a real Prometheus tells its make, and no text in a query changes what its refusals mean") {
    const auto binary = find_prometheus();
    if (!binary)
        SKIP(prometheus_missing);
    LimitedPrometheus limited(*binary);

    const Result<prometheus::ServerMake> make = limited.flavor();
    REQUIRE(make.has_value());
    CHECK(make->flavor == Flavor::prometheus);
    CHECK_THAT(make->version, StartsWith("2.") || StartsWith("3."));

    CHECK(limited.query("vector(1)[10s:1s]").has_value());
    for (const std::string text :
         {"x", "DeadlineExceeded", ": code = DeadlineExceeded",
          ": code = ResourceExhausted desc = x", "(err-mimir-max-series-per-query)",
          ": context deadline exceeded", ": cannot select more than -search.maxSamplesPerQuery",
          "': query timed out in ", "\\\": query timed out in ", "\\\\",
          ": error parsing regexp: expression too large"}) {
        INFO(text);
        const auto code_of = [&](const std::string& query) {
            const Result<prometheus::AnswerInfo> answer = limited.query(query);
            REQUIRE(answer.has_error());
            INFO(answer.error().message);
            return std::string(to_string(static_cast<Errc>(answer.error().code.value())));
        };
        CHECK(code_of("label_replace(vector(1),\"a\",\"" + text + "\",\"\",\"\")[1h:1s]") ==
              "too_costly");
        CHECK(code_of("up{a=~\"(((" + text + "\"}") == "rejected");
        CHECK(code_of("up{a=\"" + text) == "rejected");
        CHECK(code_of("up{a=\"x\"} \"" + text + "\"") == "rejected");
        CHECK(code_of("up{a=~`(((" + text + "`}") == "rejected");
        CHECK(code_of(text + ": x") == "rejected");
    }
    CHECK_THAT(limited.query("vector(1)[1h:1s]").error().message,
               ContainsSubstring("raise --query.max-samples"));
}
