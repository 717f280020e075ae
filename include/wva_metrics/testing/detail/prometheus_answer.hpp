// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/testing/detail/promql/query_failure.hpp"
#include "wva_metrics/testing/detail/promql/value.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>
#include <variant>

namespace wva_metrics::testing::detail {

/// A scalar as the shortest digits that parse to the same number, never with an exponent.
inline std::string format_number(double value) {
    if (std::isnan(value))
        return "NaN";
    if (std::isinf(value))
        return value > 0 ? "+Inf" : "-Inf";
    std::array<char, 40> buffer{};
    // The fixed form of to_chars prints all digits of a large number, not only the shortest ones.
    const auto [end, failure] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                              std::chars_format::scientific);
    const std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
    const std::size_t e = text.find('e');
    int exponent = 0;
    const std::size_t exponent_start = text[e + 1] == '+' ? e + 2 : e + 1;
    std::from_chars(text.data() + exponent_start, text.data() + text.size(), exponent);

    std::string sign;
    std::string digits;
    for (const char c : text.substr(0, e)) {
        if (c == '-')
            sign = "-";
        else if (c != '.')
            digits += c;
    }
    if (exponent < 0)
        return sign + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
    const auto integer_digits = static_cast<std::size_t>(exponent) + 1;
    if (digits.size() <= integer_digits)
        return sign + digits + std::string(integer_digits - digits.size(), '0');
    return sign + digits.substr(0, integer_digits) + '.' + digits.substr(integer_digits);
}

/// A sample's value. Unlike scalars, very large and very small values have an exponent.
inline std::string format_sample_value(double value) {
    const double size = std::abs(value);
    if (size == 0 || std::isnan(value) || std::isinf(value) || (size >= 1e-6 && size < 1e21))
        return format_number(value);
    std::array<char, 40> buffer{};
    const auto [end, failure] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                              std::chars_format::scientific);
    return std::string(buffer.data(), end);
}

/// A time in seconds, without a fraction or with three digits of it.
inline std::string format_timestamp(Milliseconds time) {
    const auto [seconds, milliseconds] = std::lldiv(time, 1000);
    std::string text = time < 0 && seconds == 0 ? "-0" : std::to_string(seconds);
    if (milliseconds != 0)
        text += '.' + std::to_string(1000 + std::llabs(milliseconds)).substr(1);
    return text;
}

/// Appends a JSON string as Go writes it, which also escapes `<`, `>`, `&`, U+2028 and U+2029.
inline void append_json_string(std::string& out, std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    out += '"';
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += {'\\', c};
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '\r') {
            out += "\\r";
        } else if (c == '\t') {
            out += "\\t";
        } else if (byte < 0x20 || c == '<' || c == '>' || c == '&') {
            out += "\\u00";
            out += {digits[byte >> 4U], digits[byte & 15U]};
        } else if (const std::string_view next = text.substr(i, 3);
                   next == "\xE2\x80\xA8" || next == "\xE2\x80\xA9") {
            out += next.back() == '\xA8' ? "\\u2028" : "\\u2029";
            i += 2;
        } else {
            out += c;
        }
    }
    out += '"';
}

inline void append_point(std::string& out, Milliseconds time, double value) {
    out += '[' + format_timestamp(time) + ",\"" + format_sample_value(value) + "\"]";
}

inline void append_labels(std::string& out, const LabelSet& labels) {
    out += "\"metric\":{";
    bool first = true;
    for (const auto& [name, value] : labels) {
        if (!first)
            out += ',';
        first = false;
        append_json_string(out, name);
        out += ':';
        append_json_string(out, value);
    }
    out += '}';
}

/// Appends the type and the value of a result.
class ResultWriter {
public:
    ResultWriter(std::string& out, Milliseconds time) : out_(out), time_(time) {}

    void operator()(double scalar) const {
        // Prometheus writes the time of a scalar as a number, not with the three digits of samples.
        out_ += R"("scalar","result":[)" + format_number(static_cast<double>(time_) / 1000) +
                ",\"" + format_number(scalar) + "\"]";
    }
    void operator()(const std::string& text) const {
        out_ += R"("string","result":[)" + format_number(static_cast<double>(time_) / 1000) + ',';
        append_json_string(out_, text);
        out_ += ']';
    }
    void operator()(const InstantVector& vector) const {
        out_ += R"("vector","result":[)";
        for (const VectorSample& sample : vector) {
            start_series(sample.labels);
            out_ += "\"value\":";
            append_point(out_, time_, sample.value);
            out_ += '}';
        }
        out_ += ']';
    }
    void operator()(const RangeVector& ranges) const {
        out_ += R"("matrix","result":[)";
        for (const RangeSeries& series : ranges) {
            start_series(series.labels);
            out_ += "\"values\":[";
            for (const Sample& sample : series.samples) {
                if (out_.back() != '[')
                    out_ += ',';
                append_point(out_, sample.time, sample.value);
            }
            out_ += "]}";
        }
        out_ += ']';
    }

private:
    void start_series(const LabelSet& labels) const {
        out_ += out_.back() == '[' ? "{" : ",{";
        append_labels(out_, labels);
        out_ += ',';
    }

    std::string& out_;
    Milliseconds time_;
};

/// The body of an answer to an instant query at a time.
inline std::string write_answer(const PromqlValue& value, Milliseconds time) {
    std::string body = R"({"status":"success","data":{"resultType":)";
    std::visit(ResultWriter(body, time), value);
    return body + "}}";
}

/// The body of an answer to a query that failed.
inline std::string write_answer(const QueryFailure& failure) {
    std::string body = R"({"status":"error","errorType":)";
    append_json_string(body, failure.error_type());
    body += ",\"error\":";
    append_json_string(body, failure.what());
    return body + '}';
}

} // namespace wva_metrics::testing::detail
