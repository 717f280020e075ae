// SPDX-License-Identifier: Apache-2.0
//
// How fast the library and its peers decode the answer to a query: Prometheus' JSON to labels,
// values and times. `--write-body SERIES FILE` writes the body that is decoded, for peers in other
// languages (`peers/decode_answer.go`).
#include <wva_metrics/prometheus/answer_decoder.hpp>

#include "support/allocations.hpp"
#include "support/answer_body.hpp"
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

/// What is read of each series.
const std::vector<std::string>& wanted_labels() {
    static const std::vector<std::string> names{"__name__",   "engine",    "instance",
                                                "model_name", "namespace", "pod"};
    return names;
}

/// The places of the wanted labels among all 17, for decoders that are faster if they know them.
/// Ours does not get them.
constexpr std::array<std::size_t, 6> places_in_answer{0, 4, 5, 8, 9, 11};

/// The content of one series. Every decoder fills the same flat array of these, so all do the same
/// work.
struct Reading {
    std::uint64_t labels = 0;
    std::uint64_t samples = 0;
};

/// Stores the series of one answer; the memory is reused for the next answer.
class Readings {
public:
    void clear() { readings_.clear(); }

    /// Adds a series. `labels` are the wanted ones, in order. Stores the length, the first and the
    /// last byte of each.
    template <typename Labels>
    void add(const Labels& labels) {
        std::uint64_t noted = 0;
        for (const std::string_view label : labels)
            noted = noted * 31 + label.size() * 65'536 +
                    static_cast<unsigned char>(label.front()) * 256U +
                    static_cast<unsigned char>(label.back());
        readings_.push_back({noted, 0});
    }
    /// Adds a sample of the series that was added last.
    void add_sample(double time, double value) {
        std::uint64_t& noted = readings_.back().samples;
        noted = noted * 31 + (std::bit_cast<std::uint64_t>(time) ^
                              std::rotl(std::bit_cast<std::uint64_t>(value), 32));
    }

    std::uint64_t checksum() const {
        std::uint64_t sum = readings_.size();
        for (const Reading& reading : readings_)
            sum = sum * 31 + (reading.labels ^ reading.samples);
        return sum;
    }

private:
    std::vector<Reading> readings_;
};

void add_series(const prometheus::SeriesView& series, Readings& readings) {
    std::array<std::string_view, 6> labels;
    std::ranges::transform(wanted_labels(), labels.begin(),
                           [&](const std::string& name) { return series.label(name); });
    readings.add(labels);
    for (const samples::Sample& sample : series.samples)
        readings.add_sample(samples::unix_seconds(sample.time), sample.value);
}

void decode_ours(std::string_view body, Readings& readings) {
    const auto answer = prometheus::decode_answer(
        body, {}, [&](const auto& series) { add_series(series, readings); });
    bench::require(answer.has_value(), "our decoder rejects the answer");
}

/// As the client does it: while the answer arrives.
void decode_pieces(std::string_view body, Readings& readings) {
    constexpr std::size_t piece = std::size_t{16} << 10;
    prometheus::AnswerDecoder decoder(
        {}, [&](const prometheus::SeriesView& series) { add_series(series, readings); });
    for (; body.size() > piece; body.remove_prefix(piece))
        decoder.write(body.substr(0, piece));
    bench::require(decoder.finish(body).has_value(), "our decoder rejects the pieces");
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
                const json::key_value_pair& field = metric.begin()[places_in_answer[i]];
                bench::require(field.key() == wanted_labels()[i], "a label is at another position");
                labels[i] = field.value().as_string();
            }
            readings.add(labels);
            const auto add = [&](const json::value& sample) {
                readings.add_sample(sample.at(0).to_number<double>(),
                                    number_in(sample.at(1).as_string()));
            };
            if (const json::value* value = series.as_object().if_contains("value"))
                add(*value);
            else
                std::ranges::for_each(series.at("values").as_array(), add);
        }
    }

private:
    std::vector<unsigned char> buffer_ = std::vector<unsigned char>(std::size_t{16} << 20);
};

#ifdef WITH_SIMDJSON
/// The fastest use of simdjson: the labels are read in their expected order, and fail if they are not
/// in it. The body must be followed by padding bytes that simdjson may read.
class SimdjsonOnDemand {
public:
    explicit SimdjsonOnDemand(bool is_vector) : is_vector_(is_vector) {}

    void operator()(std::string_view body, Readings& readings) {
        namespace ondemand = simdjson::ondemand;
        ondemand::document document =
            parser_.iterate(body.data(), body.size(), body.size() + simdjson::SIMDJSON_PADDING);
        std::array<std::string_view, 6> labels;
        for (ondemand::object series : document["data"]["result"].get_array()) {
            ondemand::object metric = series["metric"];
            for (std::size_t i = 0; i < labels.size(); ++i)
                labels[i] = metric.find_field(std::string_view(wanted_labels()[i]));
            readings.add(labels);
            if (is_vector_)
                add_sample(series["value"].get_array(), readings);
            else
                for (ondemand::array sample : series["values"].get_array())
                    add_sample(sample, readings);
        }
    }

private:
    static void add_sample(simdjson::ondemand::array sample, Readings& readings) {
        double time = 0;
        double value = 0;
        std::size_t place = 0;
        for (simdjson::ondemand::value element : sample) {
            if (place++ == 0)
                time = element.get_double();
            else
                value = element.get_double_in_string();
        }
        readings.add_sample(time, value);
    }

    bool is_vector_;
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

/// An answer that is decoded, and the targets.
struct Workload {
    std::string name;
    bench::AnswerShape shape;
    double times_simdjson = 0;
    /// 0: this peer does not decode it.
    double times_client_golang = 0;
    bool comes_in_pieces = false;
};

void compare(const Workload& workload, const bench::Options& options) {
    std::string body = bench::make_answer(workload.shape);
    body.reserve(body.size() + 64);
    std::vector<Contestant> contestants{
        {"ours", 0, workload.comes_in_pieces ? decode_pieces : decode_ours}};
    contestants.push_back({"Boost.JSON DOM, monotonic_resource", 1.4,
                           [dom = BoostDom()](std::string_view text, Readings& readings) mutable {
                               dom(text, readings);
                           }});
#ifdef WITH_SIMDJSON
    const auto simdjson = std::make_shared<SimdjsonOnDemand>(workload.shape.is_vector);
    contestants.push_back(
        {"simdjson On-Demand", workload.times_simdjson,
         [simdjson](std::string_view text, Readings& readings) { (*simdjson)(text, readings); }});
#endif

    Readings readings;
    const auto decode = [&](const Contestant& contestant) {
        readings.clear();
        contestant.decode(body, readings);
        bench::keep(readings);
    };
    const std::size_t repeats =
        options.smoke ? 1 : std::max<std::size_t>(1, 10'000'000 / body.size());
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

    const bench::Row row("query answer decoded", workload.name, "MB/s", bench::Better::more);
    for (const Contestant& contestant : contestants) {
        const double speed = static_cast<double>(body.size()) / 1e6 / median(contestant.seconds);
        if (contestant.name == "ours")
            row.ours(speed);
        else
            row.peer(contestant.name, speed, contestant.at_least);
    }
    if (workload.times_client_golang > 0)
        row.target_over("client_golang", workload.times_client_golang);

    const bench::Row count("query answer decoded: memory", workload.name, "allocations per answer",
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
        file << bench::make_answer({.series = std::strtoul(arguments[2], nullptr, 10)});
        file.close();
        bench::require(file.good(), "cannot write the body");
        return 0;
    }
    const bench::Options options = bench::parse_options(count, arguments, help);
    const std::vector<Workload> workloads{
        {"1 series of 17 labels and 4 samples", {.series = 1}, 0.45, 30},
        {"100 series of 17 labels and 4 samples", {.series = 100}, 0.6, 30},
        {"10 000 series of 17 labels and 4 samples", {.series = 10'000}, 0.6, 30},
        {"the same 10 000 series in pieces of 16 KiB", {.series = 10'000}, 0.45, 0, true},
        {"100 series of 17 labels and 30 samples", {.series = 100, .samples = 30}, 0.6},
        {"a vector of 100 series of 17 labels", {100, 1, true}, 0.6},
        {"a vector of 10 000 series of 17 labels", {10'000, 1, true}, 0.6},
    };
    for (const Workload& workload : workloads)
        compare(workload, options);
    return 0;
}
