// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/prometheus/flavor.hpp"
#include "wva_metrics/testing/detail/even_history.hpp"
#include "wva_metrics/testing/detail/fake_prometheus_server.hpp"
#include "wva_metrics/testing/detail/promql/label_set.hpp"
#include "wva_metrics/testing/received_query.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::testing {

namespace asio = boost::asio;

/// A Prometheus for tests: an HTTP server on 127.0.0.1 that answers instant queries from the series
/// a test gives it.
///
///     asio::io_context context;
///     FakePrometheus prometheus(context);
///     prometheus.set({"vllm:kv_cache_usage_perc", {{"namespace", "llm"}, {"pod", "p-0"}}}, 0.42);
///     // point the code under test at prometheus.url(), and run the context
///
/// It supports the PromQL that this library sends and a little more, with the results of Prometheus
/// 2.42: selectors, ranges and subqueries; `rate`, `increase`, `max_`, `min_`, `avg_`, `sum_`,
/// `last_` and `count_over_time`, `timestamp`, `time`, `vector`, `label_replace`; `sum`, `min`,
/// `max`, `avg`, `count`; `or`, `and`, `unless`, `+`, `-`, `*`, `/`. A query with anything else is
/// answered with an error that names it. It serves `/api/v1/query` (GET and POST),
/// `/api/v1/status/buildinfo`, `/-/ready` and `/-/healthy`; every other path is a 404. It never
/// waits for time to pass.
///
/// A range selector as a query, `m[1m]`, is answered with the samples themselves. So the times of
/// the samples matter: `set_rate` and `set_steady` make regular ones, `append_history` any.
///
/// **Threads:** safe. Functions that concern connections take effect when the executor's context
/// runs. The context has work until `stop` or the destructor.
class FakePrometheus {
public:
    /// Wall-clock time, as in Prometheus.
    using Time = std::chrono::system_clock::time_point;

    /// Names and values of labels, in any order.
    using Labels = std::vector<std::pair<std::string, std::string>>;

    /// The identity of a series.
    struct Series {
        /// The metric's name.
        std::string metric;
        /// All other labels.
        Labels labels{};
    };

    /// A sample of a history.
    struct Point {
        /// When it was scraped.
        Time time;
        /// The number, which may be NaN.
        double value;
    };

    /// How far back the histories go that are made by default, and the time between two samples.
    static constexpr std::chrono::milliseconds past = std::chrono::minutes(5);
    static constexpr std::chrono::milliseconds scrape_interval =
        std::chrono::seconds(15); ///< See `past`.

    /// Starts to listen; `port` 0 = any free port. Throws boost::system::system_error if the port
    /// is in use.
    explicit FakePrometheus(const asio::any_io_executor& executor, std::uint16_t port = 0)
        : server_(std::make_shared<detail::FakePrometheusServer>(executor, port)) {
        start();
    }
    /// The same on the context's executor.
    explicit FakePrometheus(asio::io_context& context, std::uint16_t port = 0)
        : FakePrometheus(context.get_executor(), port) {}

    FakePrometheus(const FakePrometheus&) = delete;
    FakePrometheus& operator=(const FakePrometheus&) = delete;
    /// May run before or after the context is destroyed, but not concurrently with that.
    ~FakePrometheus() {
        server_->post([](auto& server) { server.close(); });
    }

    /// The port it listens on.
    std::uint16_t port() const noexcept { return server_->port(); }
    /// The URL for `PrometheusConfig::at`.
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port()); }

    // Time. The clock of the fake is the system clock until a test sets it; then it stands still.

    /// Stops the clock at a time.
    void set_time(Time time) { server_->script.set_time(time); }
    /// Moves the stopped clock; stops it first if it runs.
    void advance(std::chrono::system_clock::duration by) { server_->script.advance(by); }
    /// Uses the system clock again.
    void use_real_time() { server_->script.set_time({}); }
    /// The time of the clock.
    Time now() const { return server_->script.now(); }

    // What it pretends to be.

    /// Answers like another make of server. Prometheus until then.
    ///
    /// - `victoria_metrics`: as single-node VictoriaMetrics 1.79 with its default settings. A range
    ///   selector shows the end of a series as a sample NaN; all other queries hide the last 30 s
    ///   before `now()`; ranges exclude their older end; NaN is not stored; refused queries have
    ///   status 422.
    /// - `thanos`, `mimir`: differ in their build information only.
    /// - `unknown`: has no build information.
    void set_flavor(prometheus::Flavor flavor) { server_->script.set_flavor(flavor); }

    // Series.

    /// Adds a sample at the current time of the fake.
    void set(const Series& series, double value) { append(series, value, now()); }

    /// Adds a sample at any time, in any order; it replaces a sample of the same millisecond.
    void append(const Series& series, double value, Time time) {
        server_->series.append(to_labels(series), {detail::to_milliseconds(time), value});
    }

    /// Adds samples at any times, in any order.
    void append_history(const Series& series, const std::vector<Point>& history) {
        for (const Point& point : history)
            append(series, point.value, point.time);
    }

    // The next three replace the samples of the time since `since` ago, one per `interval`. They
    // throw std::invalid_argument if the interval is not positive.

    /// Makes the history of a counter that grew evenly until now, so that `rate()` over any part of
    /// that time is `per_second`.
    void set_rate(const Series& series, double per_second, std::chrono::milliseconds since = past,
                  std::chrono::milliseconds interval = scrape_interval) {
        // Far from zero, because rate() treats a value near zero as the start of the counter.
        const double total = 2 * per_second * std::chrono::duration<double>(since).count();
        replace_past(series, since, interval, [&](std::chrono::milliseconds ago) {
            return total - per_second * std::chrono::duration<double>(ago).count();
        });
    }

    /// Makes the history of a series that had this value at each scrape until now.
    void set_steady(const Series& series, double value, std::chrono::milliseconds since = past,
                    std::chrono::milliseconds interval = scrape_interval) {
        replace_past(series, since, interval, [value](std::chrono::milliseconds) { return value; });
    }

    /// Makes the history of a target's `up`: whether each scrape until now succeeded.
    void set_up(const Labels& target_labels, bool is_up = true,
                std::chrono::milliseconds since = past,
                std::chrono::milliseconds interval = scrape_interval) {
        set_steady({"up", target_labels}, is_up ? 1 : 0, since, interval);
    }

    /// Ends the series now, as if its target were gone or exposed it no longer.
    void end(const Series& series) { end(series, now()); }
    /// Ends the series at a time. A later sample begins it anew.
    void end(const Series& series, Time time) {
        server_->series.append(to_labels(series), {detail::to_milliseconds(time), 0, true});
    }

    /// Removes the series and its history; false if there is no such series.
    bool remove(const Series& series) { return server_->series.erase(to_labels(series)); }

    /// Removes all series.
    void clear() { server_->series.clear(); }

    /// Adds a page in the text format of Prometheus, as a scrape at a time does: its samples are
    /// added, and a series that was in the previous page of the same target and is not in this one
    /// ends. The target's labels are added to series that have no such label (`honor_labels:
    /// true`). The target's `up` is 1, or 0 if the page is invalid. Samples older than
    /// `set_retention` are removed from time to time.
    ///
    /// Returns the number of the page's samples.
    ///
    /// **Errors:**
    /// - `bad_response`: a line is invalid; the message has its number.
    /// - `too_large`: the page exceeds 1 GiB, or one of the other `exposition::PageLimits`.
    ///
    /// All series of the target end then, as after any failed scrape.
    ///
    /// **Threads:** any thread.
    Result<std::size_t> load_exposition(std::string_view page, Time time,
                                        const Labels& target_labels = {}) {
        return server_->series.scrape(page, detail::to_milliseconds(time),
                                      detail::LabelSet(target_labels));
    }

    /// Ends all series of a target of `load_exposition` and its `up`, as if it were not scraped any
    /// more. Does nothing if there is no such target.
    void end_target(const Labels& target_labels, Time time) {
        server_->series.end_target(detail::LabelSet(target_labels), detail::to_milliseconds(time));
    }

    /// How long `load_exposition` keeps samples; 70 minutes by default.
    void set_retention(std::chrono::milliseconds retention) {
        server_->series.set_retention(retention.count());
    }

    // Failures. A query gets the first of the failures that are meant for it.

    /// Answers the next queries with this. A body that starts with `{` is sent as JSON.
    void fail_next(std::size_t times, int status, std::string body = {},
                   std::vector<std::pair<std::string, std::string>> headers = {}) {
        server_->script.fail_next(times, {status, std::move(body), std::move(headers)});
    }

    /// Answers the next queries whose text contains `text` with this. Other queries are answered
    /// meanwhile.
    void fail_next_containing(std::string text, std::size_t times, int status,
                              std::string body = {},
                              std::vector<std::pair<std::string, std::string>> headers = {}) {
        server_->script.fail_next(times,
                                  {status, std::move(body), std::move(headers), std::move(text)});
    }

    /// Closes the connections of the next queries without an answer.
    void drop_next(std::size_t times) { server_->script.fail_next(times, {}); }
    /// The same for the next queries whose text contains `text`.
    void drop_next_containing(std::string text, std::size_t times) {
        server_->script.fail_next(times, {.containing = std::move(text)});
    }

    /// Answers POST with this status, as some proxies do; 0 accepts POST again.
    void reject_post(int status = 405) { server_->script.set_post_status(status); }

    /// Queries that read more samples fail as in Prometheus with `--query.max-samples`.
    void limit_samples(std::size_t samples) { server_->series.limit_samples(samples); }

    /// Holds the answers to queries, which are evaluated immediately, until `release`.
    void hold() { server_->script.set_held(true); }
    /// Sends the held answers and all later ones.
    void release() {
        server_->script.set_held(false);
        server_->post([](auto& server) { server.wake(); });
    }

    /// Stops listening and closes all connections.
    void stop() {
        server_->post([](auto& server) { server.stop(); });
    }
    /// Listens again after `stop`, on the same port.
    void start() {
        server_->post([](auto& server) { server.start(); });
    }

    // Received queries.

    /// The queries in the order of their arrival.
    std::vector<ReceivedQuery> queries() const { return server_->script.queries(); }
    /// The number of queries.
    std::size_t query_count() const { return server_->script.query_count(); }
    /// Clears the list of queries.
    void forget_queries() { server_->script.forget_queries(); }

    /// Waits for queries.
    ///
    /// **Completes:** when at least `count` queries have arrived, even if their answers are held,
    /// or when the fake is destroyed.
    ///
    /// **Cancellation:** terminal: ends with `asio::error::operation_aborted` as an exception.
    ///
    /// **Threads:** any thread.
    asio::awaitable<void> received(std::size_t count) {
        return detail::FakePrometheusServer::received(server_, count);
    }

private:
    static detail::LabelSet to_labels(const Series& series) {
        detail::LabelSet labels(series.labels);
        labels.set(detail::LabelSet::metric_name, series.metric);
        return labels;
    }

    template <typename ValueAt>
    void replace_past(const Series& series, std::chrono::milliseconds since,
                      std::chrono::milliseconds interval, ValueAt&& value_at) {
        const detail::Milliseconds end = detail::to_milliseconds(now());
        server_->series.replace(to_labels(series),
                                detail::even_history(end, since, interval, value_at));
    }

    std::shared_ptr<detail::FakePrometheusServer> server_;
};

} // namespace wva_metrics::testing
