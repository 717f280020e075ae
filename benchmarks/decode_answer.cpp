// SPDX-License-Identifier: Apache-2.0
//
// How fast the library and its peers decode the answer to a query: Prometheus' JSON to labels,
// values and times. `--write-body SERIES FILE` writes the body that is decoded, for peers in other
// languages (`peers/decode_answer.go`).
#include <wva_metrics/prometheus/answer_decoder.hpp>

#include "support/allocations.hpp"
#include "support/measurement.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#ifdef WITH_SIMDJSON
#include <simdjson.h>
#endif

#include <malloc.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

using namespace wva_metrics;

namespace {

/// The labels of a gauge of the inference servers. Prometheus sorts labels by name.
const std::vector<std::string>& wanted_labels() {
    static const std::vector<std::string> names{"wva_part", "namespace", "model_name",
                                                "pod",      "engine",    "instance"};
    return names;
}

/// The columns of the wanted labels in the order of the answer, for decoders that are faster if
/// they know it. Ours does not get it.
constexpr std::array<std::size_t, 6> columns_in_answer{4, 5, 2, 1, 3, 0};

std::string written(double value) {
    std::array<char, 400> text{};
    return {
        text.data(),
        std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed).ptr};
}

/// Prometheus' answer about the KV cache usage of `series / 2` pods: for each pod its value, a
/// number of 710 blocks, and the time of its sample.
std::string make_body(std::size_t series) {
    std::mt19937 random(1); // A fixed seed, so that every run decodes the same text.
    std::string body = R"({"status":"success","data":{"resultType":"vector","result":[)";
    for (std::size_t i = 0; i < series; ++i) {
        const std::string pod = std::to_string(10'000 + i / 2 * 7919 % 89'999);
        const bool is_time = i % 2 == 1;
        const double value = is_time ? 1.7e9 - static_cast<double>(random() % 15'000) / 1000
                                     : static_cast<double>(random() % 710) / 710;
        body += std::string(i > 0 ? "," : "") + R"({"metric":{"engine":"0","instance":"10.244.)" +
                std::to_string(i / 500 % 250) + "." + std::to_string(i / 2 % 250) +
                R"(:8000","model_name":"meta-llama/Llama-3.1-8B-Instruct","namespace":"llm-team-)" +
                std::to_string(100 + i / 200) +
                R"(","pod":"llama-3-1-8b-instruct-a100-7d9f8b6c5d-)" + pod + R"(","wva_part":")" +
                (is_time ? "time0" : "value0") + R"("},"value":[1700000000.123,")" +
                written(value) + R"("]})";
    }
    return body + "]}}";
}

/// The content of one series. Every decoder fills the same flat array of these, so all do the same
/// work.
struct Reading {
    double value = 0;
    double timestamp = 0;
    std::uint64_t labels = 0;
};

/// Stores the series of one answer; the memory is reused for the next answer.
class Readings {
public:
    void clear() { readings_.clear(); }

    /// `labels` are the wanted ones, in order. Stores the length, the first and the last byte of
    /// each.
    template <typename Labels>
    void add(const Labels& labels, double value, double timestamp) {
        std::uint64_t noted = 0;
        for (const std::string_view label : labels)
            noted = noted * 31 + label.size() * 65'536 +
                    static_cast<unsigned char>(label.front()) * 256U +
                    static_cast<unsigned char>(label.back());
        readings_.push_back({value, timestamp, noted});
    }

    std::uint64_t checksum() const {
        std::uint64_t sum = readings_.size();
        for (const Reading& reading : readings_)
            sum = sum * 31 + (std::bit_cast<std::uint64_t>(reading.value) ^
                              std::bit_cast<std::uint64_t>(reading.timestamp) ^ reading.labels);
        return sum;
    }

private:
    std::vector<Reading> readings_;
};

void decode_ours(std::string_view body, Readings& readings) {
    std::array<std::string_view, 6> labels;
    const auto answer = prometheus::decode_answer(body, {}, [&](const auto& series) {
        std::ranges::transform(wanted_labels(), labels.begin(),
                               [&](const std::string& name) { return series.label(name); });
        const samples::Sample& sample = series.samples.back();
        readings.add(labels, sample.value, samples::unix_seconds(sample.time));
    });
    bench::require(answer.has_value(), "our decoder rejects the answer");
}

double number_in(std::string_view text) {
    double value = 0;
    bench::require(std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc(),
                   "a value is not a number");
    return value;
}

/// Boost.JSON's own document (DOM). Its memory is a buffer that is reused.
class BoostDom {
public:
    void operator()(std::string_view body, Readings& readings) {
        namespace json = boost::json;
        json::monotonic_resource memory(buffer_.data(), buffer_.size());
        const json::value document = json::parse(body, &memory);
        std::array<std::string_view, 6> labels;
        for (const json::value& series : document.at("data").at("result").as_array()) {
            const json::object& metric = series.at("metric").as_object();
            for (std::size_t i = 0; i < labels.size(); ++i) {
                const json::key_value_pair& field = metric.begin()[i];
                const std::size_t column = columns_in_answer[i];
                bench::require(field.key() == wanted_labels()[column],
                               "a label is at another position");
                labels[column] = field.value().as_string();
            }
            const json::array& sample = series.at("value").as_array();
            readings.add(labels, number_in(sample[1].as_string()), sample[0].as_double());
        }
    }

private:
    std::vector<unsigned char> buffer_ = std::vector<unsigned char>(std::size_t{16} << 20);
};

#ifdef WITH_SIMDJSON
/// The fastest use of simdjson: each label is read at its expected position, and fails if it is not
/// there. The body must be followed by padding bytes that simdjson may read.
class SimdjsonOnDemand {
public:
    void operator()(std::string_view body, Readings& readings) {
        namespace ondemand = simdjson::ondemand;
        ondemand::document document =
            parser_.iterate(body.data(), body.size(), body.size() + simdjson::SIMDJSON_PADDING);
        std::array<std::string_view, 6> labels;
        for (ondemand::object series : document["data"]["result"].get_array()) {
            ondemand::object metric = series["metric"];
            for (const std::size_t column : columns_in_answer)
                labels[column] = metric.find_field(std::string_view(wanted_labels()[column]));
            double timestamp = 0;
            double value = 0;
            std::size_t place = 0;
            for (ondemand::value element : series["value"].get_array()) {
                if (place++ == 0)
                    timestamp = element.get_double();
                else
                    value = element.get_double_in_string();
            }
            readings.add(labels, value, timestamp);
        }
    }

private:
    simdjson::ondemand::parser parser_;
};
#endif

struct Contestant {
    std::string name;
    double at_least;
    std::function<void(std::string_view, Readings&)> decode;
    std::vector<double> seconds{};
};

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

void compare(std::size_t series, const bench::Options& options) {
    std::string body = make_body(series);
    body.reserve(body.size() + 64);
    std::vector<Contestant> contestants{{"ours", 0, decode_ours}};
    contestants.push_back({"Boost.JSON DOM, monotonic_resource", 1.4,
                           [dom = BoostDom()](std::string_view text, Readings& readings) mutable {
                               dom(text, readings);
                           }});
#ifdef WITH_SIMDJSON
    const auto simdjson = std::make_shared<SimdjsonOnDemand>();
    contestants.push_back(
        {"simdjson On-Demand", 0.45,
         [simdjson](std::string_view text, Readings& readings) { (*simdjson)(text, readings); }});
#endif

    Readings readings;
    const auto decode = [&](const Contestant& contestant) {
        readings.clear();
        contestant.decode(body, readings);
        bench::keep(readings);
    };
    const std::size_t repeats = options.smoke ? 1 : std::max<std::size_t>(1, 10'000 / series);
    const int rounds = options.pick(31, 9, 1);
    std::uint64_t expected = 0;
    for (const Contestant& contestant : contestants) {
        decode(contestant);
        if (&contestant == &contestants.front())
            expected = readings.checksum();
        bench::require(readings.checksum() == expected,
                       contestant.name + " decoded something else");
    }
    for (int round = 0; round < rounds; ++round) {
        for (Contestant& contestant : contestants) {
            const double start = bench::cpu_seconds();
            for (std::size_t i = 0; i < repeats; ++i)
                decode(contestant);
            contestant.seconds.push_back((bench::cpu_seconds() - start) /
                                         static_cast<double>(repeats));
        }
    }

    const std::string work = bench::grouped(series) + " series of 6 labels";
    const bench::Row row("query answer decoded", work, "MB/s", bench::Better::more);
    for (const Contestant& contestant : contestants) {
        const double speed = static_cast<double>(body.size()) / 1e6 / median(contestant.seconds);
        if (contestant.name == "ours")
            row.ours(speed);
        else
            row.peer(contestant.name, speed, contestant.at_least);
    }
    row.target_over("client_golang", 30);

    const bench::Row count("query answer decoded: memory", work, "allocations per answer",
                           bench::Better::less);
    for (const Contestant& contestant : contestants) {
        const std::uint64_t before = bench::allocations;
        decode(contestant);
        const auto made = static_cast<double>(bench::allocations - before);
        if (contestant.name == "ours")
            count.ours(made);
        else
            count.peer(contestant.name, made);
    }
    // Vectors and the set of hashes grow; nothing is allocated for each series.
    count.target_at_most(40);
}

constexpr bench::Help help{
    "How fast the library and its peers decode the answer to a query: Prometheus' JSON to labels,\n"
    "values and times.",
    "  --write-body SERIES FILE  measures nothing; writes the body that is decoded\n"};

} // namespace

int main(int count, char** arguments) {
    // Otherwise some decoders return their memory to the kernel after each large answer, and page
    // faults are measured.
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    if (count > 1 && arguments[1] == std::string_view("--write-body")) {
        if (count != 4) {
            std::fprintf(stderr, "decode_answer: --write-body needs SERIES and FILE\n");
            return 2;
        }
        std::ofstream file(arguments[3], std::ios::binary);
        file << make_body(std::strtoul(arguments[2], nullptr, 10));
        file.close();
        bench::require(file.good(), "cannot write the body");
        return 0;
    }
    const bench::Options options = bench::parse_options(count, arguments, help);
    for (const unsigned series : {1U, 100U, 10'000U})
        compare(series, options);
    return 0;
}
