// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/answering_thread.hpp"
#include "support/http_exchange.hpp"
#include "support/real_pages.hpp"
#include "support/real_prometheus.hpp"
#include "support/watched_fleet.hpp"

#include <boost/json.hpp>
#include <catch2/catch_all.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::test_support {

/// A bucket of a native histogram that is not empty.
struct FilledBucket {
    double lower = 0;
    double upper = 0;
    double count = 0;

    /// The table of bounds in Prometheus is wrong in the last bit here and there.
    friend bool operator==(const FilledBucket& one, const FilledBucket& other) {
        const auto is_near = [](double a, double b) {
            return std::abs(a - b) <= 1e-15 * std::abs(a);
        };
        return is_near(one.lower, other.lower) && is_near(one.upper, other.upper) &&
               one.count == other.count;
    }
};

/// One value of a series.
struct PageValue {
    double value = 0; ///< Of a native histogram: its count.
    std::optional<double> sum{};
    std::vector<FilledBucket> buckets{};
    std::optional<std::int64_t> timestamp_ms{};
};

/// Readable, and the same for both sides.
using SeriesKey = std::string;
using PageValues = std::map<SeriesKey, std::vector<PageValue>>;

/// The value of a label. Prometheus 3 writes `le` and `quantile` of all formats as 1.0, Prometheus 2 those
/// of protobuf.
inline std::string same_spelling(std::string_view label, const std::string& value) {
    if (label != "le" && label != "quantile")
        return value;
    std::array<char, 40> digits{};
    const double number = std::strtod(value.c_str(), nullptr);
    return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr};
}

inline SeriesKey key_of(std::string_view name, const std::map<std::string, std::string>& labels) {
    SeriesKey key(name);
    for (const auto& [label, value] : labels)
        if (!value.empty()) // As if it were not there.
            key += " " + label + "=" + literal(same_spelling(label, value));
    return key;
}

/// A real Prometheus that scrapes the given bytes over and over.
class ReaderOfPages {
public:
    ReaderOfPages(const std::string& binary, const std::vector<RealPage>& pages)
        : server_([&pages](ScriptedServer::PeerPtr peer) { return serve(pages, peer); }),
          prometheus_(binary, {.config = config(pages),
                               .arguments = {"--enable-feature=native-histograms"}}) {}

    /// Waits until it has read each page: a scrape that takes too long on a busy machine is repeated.
    void wait_for_all(const std::vector<RealPage>& pages) const {
        const std::string all = "sum(up) == " + std::to_string(pages.size());
        REQUIRE(eventually([&] { return !result_of(all).empty(); }));
    }

    std::string version() const {
        const auto answer = exchange(prometheus_.port(), "GET", "/api/v1/status/buildinfo");
        return std::string(boost::json::parse(answer.body).at("data").at("version").as_string());
    }

    /// All values of the page's series.
    PageValues values(const RealPage& page) const {
        PageValues stored;
        for (const auto& one : result_of("{page=" + literal(page.name) + "}[5m]")) {
            std::map<std::string, std::string> labels;
            std::string name;
            for (const auto& [label, value] : one.at("metric").as_object()) {
                if (label == "__name__")
                    name = value.as_string();
                else if (label != "page" && label != "job" && label != "instance")
                    labels.emplace(label, value.as_string());
            }
            // What Prometheus adds to each scrape.
            if (name == "up" || name.starts_with("scrape_"))
                continue;
            std::vector<PageValue>& all = stored[key_of(name, labels)];
            const auto* const numbers = one.as_object().if_contains("values");
            for (const auto& sample : numbers ? numbers->as_array() : boost::json::array())
                all.push_back({number(sample.at(1)), {}, {}, time_of(sample)});
            const auto* const histograms = one.as_object().if_contains("histograms");
            for (const auto& sample : histograms ? histograms->as_array() : boost::json::array())
                all.push_back(histogram(sample));
        }
        return stored;
    }

    /// The types of the page's families.
    std::map<std::string, std::string> types(const RealPage& page) const {
        const std::string target = form_encode("{page=" + literal(page.name) + "}");
        const HttpAnswer answer =
            exchange(prometheus_.port(), "GET", "/api/v1/targets/metadata?match_target=" + target);
        std::map<std::string, std::string> all;
        const boost::json::value body = boost::json::parse(answer.body);
        for (const auto& one : body.at("data").as_array())
            all.emplace(one.at("metric").as_string(), one.at("type").as_string());
        return all;
    }

private:
    static double number(const boost::json::value& text) {
        return std::strtod(text.as_string().c_str(), nullptr);
    }
    static boost::asio::awaitable<void> serve(const std::vector<RealPage>& pages,
                                              ScriptedServer::PeerPtr peer) {
        for (;;) {
            const std::string request = co_await peer->read_request();
            const RealPage& page = pages.at(std::strtoul(request.c_str() + 5, nullptr, 10));
            const std::string answer = "HTTP/1.1 200 OK\r\nContent-Type: " + page.content_type +
                                       "\r\nContent-Length: " + std::to_string(page.body.size()) +
                                       "\r\n\r\n" + page.body;
            co_await peer->send(answer);
        }
    }
    std::string config(const std::vector<RealPage>& pages) const {
        std::string text = "global: {scrape_interval: 2s, scrape_timeout: 2s}\nscrape_configs:\n";
        const std::string address = server_.url().substr(std::string_view("http://").size());
        for (std::size_t i = 0; i < pages.size(); ++i)
            text += "- job_name: '" + std::to_string(i) + "'\n  metrics_path: /" +
                    std::to_string(i) +
                    "\n  honor_timestamps: true\n  static_configs: [{targets: ['" + address +
                    "'], labels: {page: '" + pages[i].name + "'}}]\n";
        return text;
    }

    boost::json::array result_of(const std::string& query) const {
        const HttpAnswer answer = prometheus_.query(query);
        INFO(query << "\n" << answer.body.substr(0, 1000));
        REQUIRE(answer.status == 200);
        return boost::json::parse(answer.body).at("data").at("result").as_array();
    }
    static std::int64_t time_of(const boost::json::value& sample) {
        return std::llround(sample.at(0).to_number<double>() * 1000);
    }
    static PageValue histogram(const boost::json::value& sample) {
        const auto& body = sample.at(1).as_object();
        PageValue value{number(body.at("count")), number(body.at("sum")), {}, time_of(sample)};
        if (const auto* const buckets = body.if_contains("buckets"))
            for (const auto& bucket : buckets->as_array())
                value.buckets.push_back(
                    {number(bucket.at(1)), number(bucket.at(2)), number(bucket.at(3))});
        return value;
    }

    AnsweringThread server_;
    RealPrometheus prometheus_;
};

} // namespace wva_metrics::test_support
