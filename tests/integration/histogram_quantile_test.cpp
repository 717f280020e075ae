// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/samples/histogram_quantile.hpp"

#include "integration/judged_histograms.hpp"
#include "support/answering_thread.hpp"
#include "support/each_server.hpp"
#include "support/metric_family_bytes.hpp"
#include "support/real_prometheus.hpp"
#include "support/remote_write.hpp"
#include "wva_metrics/exposition/protobuf_parser.hpp"
#include "wva_metrics/samples/counter.hpp"
#include "wva_metrics/samples/native_merge.hpp"
#include "wva_metrics/samples/native_quantile.hpp"
#include "wva_metrics/samples/native_rate.hpp"

#include <boost/json.hpp>
#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace wva_metrics::samples::judged_quantiles {

namespace {

/// Buckets that grow from sample to sample, some of them with resets or falling counts.
std::vector<std::vector<double>> random_classic(Random& random, std::size_t buckets) {
    std::vector<std::vector<double>> counts;
    std::vector<double> each(buckets, 0);
    for (int sample = 0; sample < 4; ++sample) {
        for (double& count : each)
            count = random() % 20 == 0 ? 0 : count + static_cast<double>(random() % 9);
        std::vector<double> cumulated;
        double total = 0;
        for (const double count : each)
            cumulated.push_back(total += count);
        if (random() % 10 == 0)
            cumulated[random() % buckets] += 3;
        counts.push_back(cumulated);
    }
    return counts;
}

/// Asks for the buckets of a histogram that has all of them.
ServerBounds bounds_of(const test_support::RealPrometheus& prometheus) {
    NativeHistogram histogram;
    histogram.schema = 8;
    histogram.positive = {{{-255, 256}}, std::vector<double>(256, 1)};
    histogram.count = histogram.sum = 256;
    test_support::WrittenSeries series;
    series.labels = {{"__name__", "judged_bounds"}};
    series.encoded_histograms.push_back(
        {window_end.time_since_epoch().count(), written_native(histogram)});
    test_support::remote_write(prometheus.port(), {series});
    const auto answer = prometheus.query("judged_bounds", window_end_seconds());
    const boost::json::value body = boost::json::parse(answer.body);
    const auto& buckets =
        body.at("data").at("result").at(0).at("histogram").at(1).at("buckets").as_array();
    ServerBounds bounds;
    for (const boost::json::value& bucket : buckets)
        bounds.push_back(std::strtod(bucket.at(1).as_string().c_str(), nullptr));
    REQUIRE(bounds.size() == 256);
    return bounds;
}

/// The rates in which Prometheus 3.5 has a bucket twice: it forgets one when it adds a histogram.
std::set<std::size_t> rates_with_a_bucket_twice(const test_support::RealPrometheus& prometheus) {
    std::set<std::size_t> found;
    const auto answer = prometheus.query("rate(judged_native[60s])", window_end_seconds());
    const boost::json::value body = boost::json::parse(answer.body);
    for (const auto& row : body.at("data").at("result").as_array()) {
        std::set<std::string> lower_bounds;
        const auto* const buckets = row.at("histogram").at(1).as_object().if_contains("buckets");
        if (buckets == nullptr)
            continue;
        for (const boost::json::value& bucket : buckets->as_array())
            if (!lower_bounds.emplace(bucket.at(1).as_string()).second)
                found.insert(std::stoul(std::string(row.at("metric").at("number").as_string())));
    }
    return found;
}

} // namespace

TEST_CASE("quantiles of classic histograms are those that Prometheus computes") {
    const bool is_newest = GENERATE(false, true);
    const auto binary =
        test_support::program_at(is_newest ? "WVA_METRICS_PROMETHEUS3" : "WVA_METRICS_PROMETHEUS");
    if (!binary)
        SKIP(test_support::prometheus_missing);
    const test_support::RealPrometheus prometheus(
        *binary, {.arguments = {"--web.enable-remote-write-receiver"}});
    Random random(14);
    const std::vector<std::pair<double, std::string>> bounds{
        {-0.5, "-0.5"}, {0.1, "0.1"}, {0.5, "0.5"},
        {1, "1"},       {10, "10"},   {std::numeric_limits<double>::infinity(), "+Inf"}};
    std::vector<test_support::WrittenSeries> all;
    std::vector<ClassicHistogram> last;
    std::vector<ClassicHistogram> rates;
    for (std::size_t i = 0; i < 300; ++i) {
        const std::size_t first = random() % 2;
        const auto counts = random_classic(random, bounds.size() - first);
        std::vector<ClassicBucket> last_buckets;
        std::vector<ClassicBucket> rate_buckets;
        for (std::size_t b = 0; b < counts.front().size(); ++b) {
            test_support::WrittenSeries series;
            series.labels = {{"__name__", "judged_bucket"},
                             {"le", bounds[first + b].second},
                             {"number", std::to_string(i)}};
            std::vector<Sample> samples;
            ServerTime time = window_end - 50s;
            for (const std::vector<double>& now : counts) {
                samples.push_back({time, now[b]});
                series.samples.push_back({time.time_since_epoch().count(), now[b]});
                time += 15s;
            }
            all.push_back(series);
            const double bound = bounds[first + b].first;
            last_buckets.push_back({bound, samples.back().value});
            rate_buckets.push_back({bound, *rate_per_second(samples, window_start, window_end)});
        }
        last.emplace_back(last_buckets);
        rates.emplace_back(rate_buckets);
    }
    test_support::remote_write(prometheus.port(), all);
    for (const double q : wanted_quantiles) {
        const std::string asked = "histogram_quantile(" + std::to_string(q) + ",";
        const Answers of_last =
            must_ask(prometheus, asked + "judged_bucket)", window_end_seconds());
        const Answers of_rates =
            must_ask(prometheus, asked + "rate(judged_bucket[60s]))", window_end_seconds());
        for (std::size_t i = 0; i < last.size(); ++i) {
            CAPTURE(i, q, is_newest);
            check_judged(last[i].quantile(q).value, of_last.at(i));
            // Before 2.53 a rate is extrapolated otherwise.
            if (is_newest)
                check_judged(rates[i].quantile(q).value, of_rates.at(i));
        }
    }
}

TEST_CASE("quantiles of native histograms are those that Prometheus 3 computes") {
    const auto binary = test_support::program_at("WVA_METRICS_PROMETHEUS3");
    if (!binary)
        SKIP(test_support::prometheus_missing);
    const test_support::RealPrometheus prometheus(
        *binary, {.arguments = {"--web.enable-remote-write-receiver",
                                "--enable-feature=native-histograms"}});
    Random random(53);
    const ServerBounds bounds = bounds_of(prometheus);
    std::vector<test_support::WrittenSeries> all;
    std::vector<std::vector<NativeSample>> histograms;
    for (std::size_t i = 0; i < 400; ++i) {
        const NativeKind kind = NativeKind::any(random);
        test_support::WrittenSeries series;
        series.labels = {{"__name__", "judged_native"}, {"number", std::to_string(i)}};
        ServerTime time = window_end - 50s;
        NativeHistogram histogram = random_native(random, kind);
        std::vector<NativeSample> samples;
        for (int sample = 0; sample < 4; ++sample) {
            round_zero_bucket(histogram, bounds);
            REQUIRE_FALSE(exposition::find_problem(histogram));
            series.encoded_histograms.push_back(
                {time.time_since_epoch().count(), written_native(histogram)});
            samples.push_back({time, histogram});
            const NativeHistogram more = random_native(random, kind);
            if (random() % 5 == 0)
                histogram = more;
            else
                add_native(histogram, more);
            time += 15s;
        }
        all.push_back(series);
        histograms.push_back(std::move(samples));
    }
    test_support::remote_write(prometheus.port(), all);
    const Answers counts =
        must_ask(prometheus, "histogram_count(rate(judged_native[60s]))", window_end_seconds());
    const std::set<std::size_t> wrong = rates_with_a_bucket_twice(prometheus);
    CHECK(wrong.size() < histograms.size() / 100);
    for (std::size_t i = 0; i < histograms.size(); ++i)
        if (const auto rate = native_rate(histograms[i], window_start, window_end))
            check_judged(rate->count, counts.at(i));
    for (const double q : wanted_quantiles) {
        const std::string asked = "histogram_quantile(" + std::to_string(q) + ",";
        const Answers of_last =
            must_ask(prometheus, asked + "judged_native)", window_end_seconds());
        const Answers of_rates =
            must_ask(prometheus, asked + "rate(judged_native[60s]))", window_end_seconds());
        for (std::size_t i = 0; i < histograms.size(); ++i) {
            const NativeHistogram& last = histograms[i].back().histogram;
            CAPTURE(i, q, last.schema, last.count, last.sum, last.zero_threshold, last.zero_count);
            CAPTURE(last.positive.counts, last.negative.counts);
            check_judged(native_quantile(last, q).value, of_last.at(i));
            const auto rate = native_rate(histograms[i], window_start, window_end);
            REQUIRE(rate.has_value() == of_rates.contains(i));
            if (rate && !wrong.contains(i))
                check_judged(native_quantile(*rate, q).value, of_rates.at(i));
        }
    }
}

TEST_CASE("a protobuf page has the histograms that Prometheus stores from it") {
    const auto binary = test_support::find_prometheus();
    if (!binary)
        SKIP(test_support::prometheus_missing);
    Random random(242);
    std::vector<std::string> metrics;
    for (std::size_t i = 0; i < 50; ++i) {
        const std::string deltas = bytes::packed_deltas({4, -1, 3});
        const auto first = static_cast<std::int64_t>(random() % 40) - 20;
        const auto zero = random() % 4;
        const std::string histogram =
            bytes::number(1, 13 + zero) + bytes::real(2, static_cast<double>(random() % 100)) +
            bytes::signed_number(5, static_cast<std::int64_t>(random() % 13) - 4) +
            bytes::real(6, 0.001) + bytes::number(7, zero) +
            bytes::text(12, bytes::span(first, 2)) + bytes::text(12, bytes::span(2, 1)) +
            bytes::text(13, deltas);
        metrics.push_back(bytes::labels({{"number", std::to_string(i)}}) +
                          bytes::text(7, histogram));
    }
    const std::string page = bytes::family("scraped", bytes::histogram_type, metrics);
    test_support::AnsweringThread server(
        [page](test_support::ScriptedServer::PeerPtr peer) -> boost::asio::awaitable<void> {
            const std::string answer =
                "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.google.protobuf; "
                "proto=io.prometheus.client.MetricFamily; encoding=delimited\r\nContent-Length: " +
                std::to_string(page.size()) + "\r\n\r\n" + page;
            while (true) {
                co_await peer->read_request();
                co_await peer->send(answer);
            }
        });
    const std::string address = server.url().substr(server.url().find("//") + 2);
    const test_support::RealPrometheus prometheus(
        *binary, {.config = "scrape_configs:\n- job_name: page\n  scrape_interval: 1s\n"
                            "  scrape_timeout: 1s\n  static_configs:\n  - targets: ['" +
                            address + "']\n",
                  .arguments = {"--enable-feature=native-histograms"}});
    Answers counts;
    const auto give_up = std::chrono::steady_clock::now() + 30s;
    while (counts.empty() && std::chrono::steady_clock::now() < give_up) {
        std::this_thread::sleep_for(100ms);
        counts = must_ask(prometheus, "histogram_count(scraped)", {});
    }
    const Answers sums = must_ask(prometheus, "histogram_sum(scraped)", {});
    const Answers above_all = must_ask(prometheus, "histogram_quantile(1, scraped)", {});
    std::size_t seen = 0;
    const auto compare = [&](const exposition::PageSample& sample) {
        if (sample.histogram == nullptr)
            return;
        const std::size_t number = std::stoul(std::string(sample.label("number")));
        CAPTURE(number);
        CHECK(sample.histogram->count == counts.at(number));
        CHECK(sample.histogram->sum == sums.at(number));
        // The last bucket's bound, where no interpolation matters.
        check_judged(native_quantile(*sample.histogram, 1).value, above_all.at(number));
        ++seen;
    };
    REQUIRE(exposition::parse_protobuf(page, compare).has_value());
    CHECK(seen == 50);
}

} // namespace wva_metrics::samples::judged_quantiles
