// SPDX-License-Identifier: Apache-2.0

#include "wva_metrics/orca/orca_report.hpp"
#include "wva_metrics/orca/visit_report.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/property_cases.hpp"

namespace wva_metrics::orca {
namespace {

using Catch::Matchers::ContainsSubstring;

constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string to_base64(std::string_view bytes, bool padded = true) {
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        unsigned group = 0;
        for (std::size_t j = 0; j < 3; ++j)
            group = group << 8U |
                    (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
        for (std::size_t j = 0; j < 4; ++j)
            if (i + j <= bytes.size())
                text += base64_alphabet[group >> (18U - 6U * j) & 63U];
            else if (padded)
                text += '=';
    }
    return text;
}

/// The wire format, written by hand.
struct Message {
    std::string bytes;

    Message& number(unsigned field, double value) {
        bytes += static_cast<char>(field << 3U | 1U);
        const auto bits = std::bit_cast<std::uint64_t>(value);
        for (unsigned i = 0; i < 8; ++i)
            bytes += static_cast<char>(bits >> (8 * i) & 0xFFU);
        return *this;
    }
    Message& part(unsigned field, const std::string& content) {
        bytes += static_cast<char>(field << 3U | 2U);
        for (std::size_t size = content.size();; size >>= 7U) {
            bytes += static_cast<char>((size & 0x7FU) | (size > 0x7FU ? 0x80U : 0U));
            if (size <= 0x7FU)
                break;
        }
        bytes += content;
        return *this;
    }
    Message& entry(unsigned field, const std::string& name, double value) {
        return part(field, Message{}.part(1, name).number(2, value).bytes);
    }
};

OrcaReport example() {
    OrcaReport report;
    report.cpu_utilization = 0.7;
    report.application_utilization = 0.8;
    report.mem_utilization = 0.9;
    report.eps = 2;
    report.rps_fractional = 1000;
    report.named_metrics = {{"bar", 0.2}, {"foo", 123}};
    return report;
}

std::string binary_example() {
    return Message{}
        .number(1, 0.7)
        .number(2, 0.9)
        .number(6, 1000)
        .number(7, 2)
        .entry(8, "foo", 123)
        .entry(8, "bar", 0.2)
        .number(9, 0.8)
        .bytes;
}

TEST_CASE("a report reads the same in each of its forms", "[orca]") {
    const std::string binary = to_base64(binary_example());
    for (
        const std::string& value : std::vector<std::string>{
            "TEXT cpu_utilization=0.7,application_utilization=0.8,mem_utilization=0.9,"
            "rps_fractional=1000,eps=2,named_metrics.foo=123,named_metrics.bar=0.2",
            "TEXT  cpu_utilization:0.7, application_utilization: +0.8 ,mem_utilization:9e-1,,"
            "rps_fractional:1e3,eps:2.,\tnamed_metrics.foo:123 ,named_metrics.bar=.2,",
            R"(JSON {"cpu_utilization": 0.7, "application_utilization": 0.8, "mem_utilization": 0.9,
                 "rps_fractional": 1000, "eps": 2, "named_metrics": {"foo": 123, "bar": 0.2}})",
            R"(JSON {"namedMetrics":{"bar":2e-1,"foo":123},"eps":2,"rpsFractional":1000.0,"rps":"1000",)"
            R"("memUtilization":0.9,"applicationUtilization":0.8,"cpuUtilization":0.7})",
            "BIN " + binary,
            "BIN " + to_base64(binary_example(), false),
        }) {
        CAPTURE(value);
        const Result<OrcaReport> report = parse_report(value);
        REQUIRE(report.has_value());
        CHECK(*report == example());
    }
    CHECK(parse_report(binary, {}, OrcaHeader::load_metrics_bin).value() == example());
}

TEST_CASE("vLLM's and Triton's headers are read", "[orca]") {
    const Result<OrcaReport> text = parse_report(
        "TEXT named_metrics.kv_cache_usage_perc=0.41, named_metrics.num_requests_waiting=3.0");
    REQUIRE(text.has_value());
    CHECK(text->named_metrics ==
          OrcaReport::Numbers{{"kv_cache_usage_perc", 0.41}, {"num_requests_waiting", 3}});
    CHECK_FALSE(text->cpu_utilization.has_value());

    const Result<OrcaReport> json = parse_report(
        R"(JSON {"named_metrics": {"kv_cache_utilization": 0.25, "max_token_capacity": 8192}})");
    REQUIRE(json.has_value());
    CHECK(json->named_metrics ==
          OrcaReport::Numbers{{"kv_cache_utilization", 0.25}, {"max_token_capacity", 8192}});
}

TEST_CASE("a report without numbers is valid and says nothing", "[orca]") {
    for (const std::string_view value : {"TEXT ", "TEXT", "TEXT ,,", "JSON {}"}) {
        CAPTURE(value);
        CHECK(parse_report(value).value() == OrcaReport{});
    }
}

TEST_CASE("what breaks a rule is refused whole, in words", "[orca]") {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"", "unknown form ''"},
        {"BAD x=1", "unknown form 'BAD'"},
        {"text eps=1", "unknown form 'text'"},
        {"cpu_utilization=0.7", "unknown form"},
        {"TEXT nothing", "no value for 'nothing'"},
        {"TEXT eps=", "no value for 'eps'"},
        {"TEXT eps=  ", "no value for 'eps'"},
        {"TEXT =1", "without a name"},
        {"TEXT named_metrics.=1", "without a name"},
        {"TEXT eps=1,eps=2", "'eps' twice"},
        {"TEXT named_metrics.a=1,named_metrics.a:1", "'a' twice"},
        {"TEXT queue=1", "unknown metric 'queue'"},
        {"TEXT utilization.a=1", "unknown metric"},
        {"TEXT eps =1", "unknown metric 'eps '"},
        {"TEXT eps=\"1\"", "not a number"},
        {"TEXT eps=1x", "not a number"},
        {"TEXT eps=0x10", "not a number"},
        {"TEXT eps=+-1", "not a number"},
        {"TEXT eps=++1", "not a number"},
        {"TEXT eps=1=2", "not a number"},
        {"TEXT eps=nan", "no finite number"},
        {"TEXT eps=NaN", "no finite number"},
        {"TEXT eps=-inf", "no finite number"},
        {"TEXT eps=1e999", "no finite number"},
        {"JSON ", "not a JSON object"},
        {"JSON []", "not a JSON object"},
        {"JSON JSON {}", "not a JSON object"},
        {"JSON {", "name in quotes"},
        {"JSON {\"eps\"", "lacks a ':'"},
        {"JSON {\"eps\": 1", "',' or a '}'"},
        {"JSON {\"eps\": 1,}", "name in quotes"},
        {"JSON {\"eps\": 1} x", "after the JSON object"},
        {"JSON {\"eps\": 1, \"eps\": 1}", "'eps' twice"},
        {"JSON {\"cpuUtilization\": 1, \"cpu_utilization\": 1}", "twice"},
        {"JSON {\"eps\": \"1\"}", "no number for 'eps'"},
        {"JSON {\"eps\": NaN}", "no number for 'eps'"},
        {"JSON {\"eps\": null}", "no number for 'eps'"},
        {"JSON {\"eps\": 01}", "no number"},
        {"JSON {\"eps\": +1}", "no number"},
        {"JSON {\"eps\": 1.}", "no number"},
        {"JSON {\"eps\": .5}", "no number"},
        {"JSON {\"eps\": 1e}", "no number"},
        {"JSON {\"eps\": 1e999}", "no finite number"},
        {"JSON {\"other\": 1}", "unknown member 'other'"},
        {"JSON {\"named_metrics\": 1}", "not a JSON object"},
        {"JSON {\"named_metrics\": {\"\": 1}}", "without a name"},
        {"JSON {\"named_metrics\": {\"a\": {\"b\": 1}}}", "no number for 'a'"},
        {"JSON {\"named_metrics\": {}, \"namedMetrics\": {}}", "twice"},
        {"JSON {\"e\\u0070s\": 1}", "escape"},
        {"JSON {\"rps\": \"1}", "'rps'"},
        {"BIN", "empty"},
        {"BIN ****", "not base64"},
        {"BIN A", "not base64"},
        {"BIN not-a-valid-binary-proto", "not base64"},
        {"BIN " + to_base64("\x09"
                            "1234567"),
         "not a protobuf"},
        {"BIN " + to_base64("\x0a"), "not a protobuf"},
        {"BIN " + to_base64(std::string("\x00", 1)), "not a protobuf"},
        {"BIN " + to_base64("\x0b"), "not a protobuf"},
        {"BIN " + to_base64(Message{}.part(1, "x").bytes), "not a protobuf"},
        {"BIN " + to_base64(Message{}.number(8, 1).bytes), "not a protobuf"},
        {"BIN " + to_base64(Message{}.entry(8, "\xff", 1).bytes), "not a protobuf"},
        {"BIN " + to_base64(Message{}.entry(8, "", 1).bytes), "without a name"},
        {"BIN " + to_base64(Message{}.number(7, 1).number(7, 1).bytes), "'eps' twice"},
        {"BIN " + to_base64(Message{}.number(7, std::numeric_limits<double>::quiet_NaN()).bytes),
         "no finite number"},
        {"BIN " + to_base64("\x08" + std::string(10, '\xff')), "not a protobuf"},
    };
    for (const auto& [value, words] : cases) {
        CAPTURE(value);
        bool was_visited = false;
        const Result<void> result =
            visit_report(value, [&](const OrcaMetric&) { was_visited = true; });
        REQUIRE(result.has_error());
        CHECK(result.error().is(Errc::bad_response));
        CHECK_THAT(result.error().message, ContainsSubstring(words));
        CHECK_FALSE(was_visited);
    }
}

TEST_CASE("a newer protobuf field and the old rps are skipped", "[orca]") {
    std::string bytes = binary_example();
    bytes += "\x18\x96\x01";                  // 3: a varint
    bytes += Message{}.part(15, "abc").bytes; // 15: a message
    bytes += "\x85\x01"
             "1234"; // 16: four bytes
    CHECK(parse_report("BIN " + to_base64(bytes)).value() == example());
}

TEST_CASE("a map entry of protobuf without a value is 0", "[orca]") {
    const std::string bytes = Message{}.part(8, Message{}.part(1, "idle").bytes).bytes;
    CHECK(parse_report("BIN " + to_base64(bytes)).value().named_metrics ==
          OrcaReport::Numbers{{"idle", 0}});
}

TEST_CASE("a report beyond a bound is refused, and the bound is named", "[orca]") {
    const auto refused = [](const std::string& value, OrcaLimits limits, const char* bound) {
        const Result<OrcaReport> report = parse_report(value, limits);
        REQUIRE(report.has_error());
        CHECK(report.error().is(Errc::too_large));
        CHECK_THAT(report.error().message, ContainsSubstring(bound));
    };
    std::string many = "TEXT ";
    for (int i = 0; i < 10'000; ++i)
        many += "named_metrics.m" + std::to_string(i) + "=1,";
    refused(many, {}, "max_header_bytes = 8192");
    OrcaLimits wide;
    wide.max_header_bytes = many.size();
    refused(many, wide, "max_metrics = 64");
    wide.max_metrics = 1'000'000; // It cannot be raised beyond the storage.
    refused(many, wide, "max_metrics = 64");
    refused("TEXT named_metrics." + std::string(257, 'x') + "=1", {}, "max_name_bytes = 256");
    CHECK(parse_report("TEXT named_metrics." + std::string(256, 'x') + "=1").has_value());
}

TEST_CASE("any report survives being written in any form", "[orca][property]") {
    std::mt19937 random(7); // NOLINT(cert-msc32-c,cert-msc51-cpp): the same cases in every run.
    const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
    const auto shortest = [](double value) {
        std::ostringstream text;
        text.precision(17);
        text << value;
        return text.str();
    };
    for (unsigned round = 0; round < test_support::property_cases(300); ++round) {
        OrcaReport report;
        std::string text = "TEXT ";
        std::string json;
        Message binary;
        const unsigned count = below(12);
        for (unsigned i = 0; i < count; ++i) {
            const std::string name = "m" + std::to_string(i) + std::string(below(200), 'a');
            const double value =
                std::ldexp(static_cast<double>(random()) - 2e9, static_cast<int>(below(200)) - 100);
            report.named_metrics[name] = value;
            text += "named_metrics." + name + (below(2) == 0 ? "=" : ":") + shortest(value) + ",";
            json += (json.empty() ? "\"" : ",\"") + name + "\":" + shortest(value);
            binary.entry(8, name, value);
        }
        if (below(2) == 0) {
            report.mem_utilization = 0.125;
            text += "mem_utilization=0.125";
            json = "JSON {\"mem_utilization\":0.125,\"named_metrics\":{" + json + "}}";
            binary.number(2, 0.125);
        } else {
            json = "JSON {\"named_metrics\":{" + json + "}}";
        }
        CAPTURE(text);
        CHECK(parse_report(text).value() == report);
        CHECK(parse_report(json).value() == report);
        if (!binary.bytes.empty())
            CHECK(parse_report("BIN " + to_base64(binary.bytes, below(2) == 0)).value() == report);
    }
}

} // namespace
} // namespace wva_metrics::orca
