// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/testing/detail/fake_prometheus_server.hpp"

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
/// It understands the PromQL that this library sends and a little more (see `parse_promql`), with
/// the results that Prometheus 2.42 gives, and answers with an error that says so where it does
/// not. It serves `/api/v1/query` (GET and POST), `/-/ready` and `/-/healthy`; anything else is
/// 404. Nothing in it waits for time to pass.
///
/// Thread safety: every function may be called from any thread; what concerns connections takes
/// effect when the executor's context runs. The context has work until `stop` or the destructor.
class FakePrometheus {
public:
    /// Times are what people's clocks say, as in Prometheus.
    using Time = std::chrono::system_clock::time_point;

    /// What names a series.
    struct Series {
        /// The metric's name.
        std::string metric;
        /// Names and values, in any order.
        std::vector<std::pair<std::string, std::string>> labels{};
    };

    /// Listens from here on; `port` 0 means a free one. Throws boost::system::system_error where
    /// the port is taken.
    explicit FakePrometheus(const asio::any_io_executor& executor, std::uint16_t port = 0)
        : server_(std::make_shared<detail::FakePrometheusServer>(executor, port)) {
        start();
    }
    /// As above, on the context's executor.
    explicit FakePrometheus(asio::io_context& context, std::uint16_t port = 0)
        : FakePrometheus(context.get_executor(), port) {}

    FakePrometheus(const FakePrometheus&) = delete;
    FakePrometheus& operator=(const FakePrometheus&) = delete;
    /// Before or after the context, but not on another thread at the very same time.
    ~FakePrometheus() {
        server_->post([](auto& server) { server.close(); });
    }

    /// Where it listens.
    std::uint16_t port() const noexcept { return server_->port(); }
    /// For `PrometheusConfig::at`.
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port()); }

    // Time. The fake's clock is the real one until a test sets it; then it stands still.

    /// Lets the clock stand still at a time.
    void set_time(Time time) { server_->script.set_time(time); }
    /// Moves the clock that stands still.
    void advance(std::chrono::system_clock::duration by) { server_->script.advance(by); }
    /// Lets the clock be the real one again.
    void use_real_time() { server_->script.set_time({}); }
    /// What the clock says.
    Time now() const { return server_->script.now(); }

    // Series.

    /// A sample at the fake's present time.
    void set(const Series& series, double value) { append(series, value, now()); }

    /// A sample at any time, in any order; it replaces one at the same millisecond.
    void append(const Series& series, double value, Time time) {
        server_->series.append(to_labels(series), {detail::to_milliseconds(time), value});
    }

    /// The history of a counter that grew evenly until now, so that `rate()` over any part of
    /// `since` ago is `per_second`.
    void set_rate(const Series& series, double per_second,
                  std::chrono::milliseconds since = std::chrono::minutes(5),
                  std::chrono::milliseconds interval = std::chrono::seconds(15)) {
        const Time end = now();
        // Far from zero, which rate() would take for the counter's beginning.
        const double total = 2 * per_second * std::chrono::duration<double>(since).count();
        for (std::chrono::milliseconds ago{0}; ago <= since; ago += interval)
            append(series, total - per_second * std::chrono::duration<double>(ago).count(),
                   end - ago);
    }

    /// The series has no value from now on, as when its target is gone or no longer exposes it.
    void end(const Series& series) {
        server_->series.append(to_labels(series), {detail::to_milliseconds(now()), 0, true});
    }

    /// Forgets the series and its history; false where there was none.
    bool remove(const Series& series) { return server_->series.erase(to_labels(series)); }

    /// Forgets all series.
    void clear() { server_->series.clear(); }

    /// Takes a page in Prometheus' text format as a scrape at a time: its samples are added, and
    /// the series that the last page of the same target had and this one has not are ended. Labels
    /// of the target are added to series that have no such label (`honor_labels: true`). Samples
    /// older than `set_retention` are dropped now and then.
    ///
    /// Returns the number of samples. Errors: `bad_response`, with the line that is wrong; then all
    /// of the target's series are ended, as after any failed scrape.
    Result<std::size_t>
    load_exposition(std::string_view page, Time time,
                    const std::vector<std::pair<std::string, std::string>>& target_labels = {}) {
        return server_->series.scrape(page, detail::to_milliseconds(time), LabelSet(target_labels));
    }

    /// How long `load_exposition` keeps samples; 70 minutes unless told.
    void set_retention(std::chrono::milliseconds retention) {
        server_->series.set_retention(retention.count());
    }

    // Misbehaviour.

    /// The next queries are answered with this. A body that starts with `{` is sent as JSON.
    void fail_next(std::size_t times, int status, std::string body = {},
                   std::vector<std::pair<std::string, std::string>> headers = {}) {
        server_->script.fail_next(times, {status, std::move(body), std::move(headers)});
    }

    /// The next queries' connections are closed without an answer.
    void drop_next(std::size_t times) { server_->script.fail_next(times, {}); }

    /// POST is answered with this status, as some proxies do; 0 accepts it again.
    void refuse_post(int status = 405) { server_->script.set_post_status(status); }

    /// Queries that read more samples fail as those beyond `--query.max-samples` do.
    void limit_samples(std::size_t samples) { server_->series.limit_samples(samples); }

    /// Answers to queries, evaluated at once, are not sent until `release`.
    void hold() { server_->script.set_held(true); }
    /// Sends the answers that are held, and holds no more.
    void release() {
        server_->script.set_held(false);
        server_->post([](auto& server) { server.wake(); });
    }

    /// Stops listening and breaks all connections.
    void stop() {
        server_->post([](auto& server) { server.stop(); });
    }
    /// Listens again after `stop`, on the same port.
    void start() {
        server_->post([](auto& server) { server.start(); });
    }

    // What it was asked.

    /// In the order they came.
    std::vector<ReceivedQuery> queries() const { return server_->script.queries(); }
    /// How many have come.
    std::size_t query_count() const { return server_->script.query_count(); }
    /// Starts counting anew.
    void forget_queries() { server_->script.forget_queries(); }

    /// Completes when at least `count` queries have come, also where answers are held, or when the
    /// fake is gone.
    asio::awaitable<void> received(std::size_t count) {
        return detail::FakePrometheusServer::received(server_, count);
    }

private:
    static LabelSet to_labels(const Series& series) {
        LabelSet labels(series.labels);
        labels.set(LabelSet::metric_name, series.metric);
        return labels;
    }

    std::shared_ptr<detail::FakePrometheusServer> server_;
};

} // namespace wva_metrics::testing
