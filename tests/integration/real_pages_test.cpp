// SPDX-License-Identifier: Apache-2.0
//
// Pages of real programs: the parsers read what a real Prometheus stores of the same bytes.
#include "wva_metrics/exposition/page_parser.hpp"

#include "support/each_server.hpp"
#include "support/real_pages.hpp"
#include "support/stored_pages.hpp"
#include "support/temporary_directory.hpp"
#include "wva_metrics/exposition/conformance_checker.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

std::vector<FilledBucket> filled_buckets(const exposition::NativeHistogram& histogram) {
    std::vector<FilledBucket> all;
    const auto add = [&](double lower, double upper, double count) {
        if (count != 0)
            all.push_back({lower, upper, count});
    };
    const auto bound = [&](std::int64_t index) {
        return exposition::native_bound(index, histogram.schema);
    };
    histogram.negative.each(
        [&](std::int64_t i, double count) { add(-bound(i), -bound(i - 1), count); });
    std::reverse(all.begin(), all.end());
    add(-histogram.zero_threshold, histogram.zero_threshold, histogram.zero_count);
    histogram.positive.each(
        [&](std::int64_t i, double count) { add(bound(i - 1), bound(i), count); });
    return all;
}

/// What the library reads of a page.
struct ReadPage {
    PageValues values;
    std::map<std::string, std::string> types; ///< Of the families with a `# TYPE` line.

    void operator()(const exposition::PageSample& sample) {
        std::map<std::string, std::string> labels;
        for (const LabelView& label : sample.labels)
            labels.emplace(label.name, label.value);
        PageValue value{.value = sample.value, .timestamp_ms = sample.timestamp_ms};
        if (sample.histogram != nullptr) {
            value.sum = sample.histogram->sum;
            value.buckets = filled_buckets(*sample.histogram);
            natives_.push_back({std::string(sample.name), labels});
        }
        values[key_of(sample.name, labels)].push_back(value);
    }
    void family(std::string_view name, exposition::FamilyType type) {
        types[std::string(name)] = to_string(type);
    }

    /// Prometheus stores a native histogram in place of its classic series, unless it is told to keep
    /// both. The library passes on both, so that one profile fits all formats.
    void drop_classic_twins() {
        for (const auto& native : natives_) {
            values.erase(key_of(native.first + "_sum", native.second));
            values.erase(key_of(native.first + "_count", native.second));
            std::erase_if(values, [&](const auto& one) {
                return one.first.starts_with(native.first + "_bucket ") &&
                       has_all(one.first, native.second);
            });
        }
    }

private:
    static bool has_all(const SeriesKey& key, const std::map<std::string, std::string>& labels) {
        return std::all_of(labels.begin(), labels.end(), [&](const auto& label) {
            return key.find(" " + label.first + "=" + literal(label.second)) != SeriesKey::npos;
        });
    }

    std::vector<std::pair<std::string, std::map<std::string, std::string>>> natives_;
};

ReadPage read_page(const RealPage& page) {
    ReadPage read;
    exposition::PageParser parser{std::string_view(page.content_type)};
    Result<void> result = parser.feed(page.body, read);
    if (result.has_value())
        result = parser.finish(read);
    INFO(page.name);
    if (result.has_error())
        FAIL(result.error().message);
    return read;
}

/// Two NaN are the same, and 0 and -0 are not.
bool is_same(double one, double other) {
    return std::isnan(one) ? std::isnan(other)
                           : one == other && std::signbit(one) == std::signbit(other);
}

bool is_same(const PageValue& read, const PageValue& stored) {
    // OpenMetrics has seconds, which Prometheus cuts to milliseconds and the library rounds.
    const bool is_same_time =
        !read.timestamp_ms || std::abs(*read.timestamp_ms - *stored.timestamp_ms) <= 1;
    return is_same(read.value, stored.value) && read.sum.has_value() == stored.sum.has_value() &&
           is_same(read.sum.value_or(0), stored.sum.value_or(0)) &&
           read.buckets == stored.buckets && is_same_time;
}

std::vector<std::string> differences(const PageValues& read, const PageValues& stored) {
    std::vector<std::string> all;
    for (const auto& [key, values] : read) {
        const auto found = stored.find(key);
        if (found == stored.end())
            all.push_back("only the library has " + key);
        else if (values.size() != 1)
            all.push_back("the library has it more than once: " + key);
        else
            for (const PageValue& value : found->second)
                if (!is_same(values.front(), value))
                    all.push_back(key + " is " + std::to_string(values.front().value) +
                                  " to the library and " + std::to_string(value.value) +
                                  " to Prometheus");
    }
    for (const auto& [key, values] : stored)
        if (!read.contains(key))
            all.push_back("only Prometheus has " + key);
    return all;
}

/// True if promtool can read a page of Prometheus' text; what it thinks of its style is ignored.
bool promtool_reads(const std::string& promtool, const std::string& page) {
    const TemporaryDirectory directory;
    const auto file = directory.path() / "page";
    std::ofstream(file, std::ios::binary) << page;
    const auto log = directory.path() / "log";
    const std::string command = "exec \"$0\" check metrics <\"$1\"";
    ChildProcess shell({"/bin/sh", "-c", command, promtool, file.string()}, {log, log});
    const int status = shell.wait();
    INFO(tail_of(log));
    REQUIRE((status == 0 || status == 1 || status == 3)); // 3: only its style.
    return status != 1;
}

bool conforms(const std::string& page,
              exposition::TextFormat format = exposition::TextFormat::prometheus_0_0_4) {
    exposition::ConformanceChecker checker(format);
    static_cast<void>(checker.feed(page));
    static_cast<void>(checker.finish());
    return !checker.problem();
}

} // namespace

TEST_CASE("a real Prometheus stores of real pages what the library reads") {
    if (!find_prometheus())
        SKIP(prometheus_missing);
    const std::vector<RealPage>& pages = real_pages();
    // Both at once, because each looks at its targets only five seconds after its start.
    std::vector<std::unique_ptr<ReaderOfPages>> readers;
    for (const RealMake make : {RealMake::prometheus, RealMake::prometheus3})
        if (const auto binary = program_at(variable_of(make)))
            readers.push_back(std::make_unique<ReaderOfPages>(*binary, pages));
    for (const auto& prometheus : readers) {
        prometheus->wait_for_all(pages);
        for (const RealPage& page : pages) {
            INFO("reader " << prometheus->version() << ", " << page.name << ", "
                           << page.content_type);
            ReadPage read = read_page(page);
            read.drop_classic_twins();
            CHECK(read.values.size() > 30);
            CHECK(differences(read.values, prometheus->values(page)) == std::vector<std::string>{});

            std::map<std::string, std::string> types = prometheus->types(page);
            // Those that have a # HELP line alone.
            std::erase_if(types, [&](const auto& one) {
                return one.second == "unknown" && !read.types.contains(one.first);
            });
            CHECK(read.types == types);
        }
    }
}

TEST_CASE("promtool reads a page of Prometheus' text exactly if the checker accepts it") {
    const std::string prometheus = find_prometheus().value_or("");
    const std::string promtool = prometheus.substr(0, prometheus.rfind('/') + 1) + "promtool";
    if (::access(promtool.c_str(), X_OK) != 0)
        SKIP("needs promtool beside the Prometheus in WVA_METRICS_PROMETHEUS");
    std::string last;
    for (const RealPage& page : real_pages()) {
        INFO(page.name);
        if (page.name.ends_with("-openmetrics-text"))
            CHECK(conforms(page.body, exposition::TextFormat::open_metrics_1_0));
        if (!page.name.ends_with("-plain"))
            continue;
        CHECK(promtool_reads(promtool, page.body));
        CHECK(conforms(page.body));
        last = page.body;
    }
    for (const std::string& page :
         {last + "a x\n", last + "a{b} 1\n", last + "a{b=\"c} 1\n", last + "a 1\n# TYPE a gauge\n",
          last + "# TYPE a gauge\n# TYPE a gauge\na 1\n", last + "# TYPE a gouge\na 1\n",
          last + "a{b=\"1\",b=\"2\"} 1\n", last + "a 1 1.5\n", last + "a{b=\"\xff\"} 1\n",
          last + "a{b=\"\\x\"} 1\n", last + "a 1", last + "a 0x1p\n"}) {
        INFO(page.substr(last.size()));
        CHECK_FALSE(promtool_reads(promtool, page));
        CHECK_FALSE(conforms(page));
    }
}
